package sqltext

// insert reads INSERT and REPLACE.
func (r *reader) insert(sc *scope) {
	r.next()
	if r.take("OR") {
		r.next()
	}
	r.takeAll("IGNORE", "LOW_PRIORITY", "DELAYED")
	if !r.take("INTO") && !r.script {
		r.wrong() // MySQL does without
		return
	}
	if _, ok := r.table(Write); !ok {
		return
	}
	if r.take("AS") {
		r.next()
	}
	if r.symbol("(") && !r.startsQuery() {
		r.parens(sc)
	}
	if r.take("OVERRIDING") {
		r.take("SYSTEM", "USER")
		r.take("VALUE")
	}
	switch {
	case r.startsQuery(), r.is("WITH"):
		r.query(sc)
	case r.take("DEFAULT"):
		r.take("VALUES")
	case r.is("SET"), r.at(hole):
	default:
		r.wrong()
	}
	r.clauses(sc)
}

// update reads UPDATE … SET.
func (r *reader) update(sc *scope) {
	r.next()
	if r.take("OR") {
		r.next()
	}
	r.take("ONLY")
	if _, ok := r.table(Write); !ok {
		return
	}
	r.takeSymbol("*")
	r.alias(sc)
	for r.joinLength() > 0 { // MySQL
		r.i += r.joinLength()
		r.tableRef(sc)
		if r.take("ON") {
			r.exprs(sc, true)
		}
	}
	if !r.take("SET") || !r.assigns() {
		r.wrong()
		return
	}
	r.clauses(sc)
}

// assigns reports whether an assignment comes next, which tells a statement from
// a sentence such as "update users set on login".
func (r *reader) assigns() bool {
	if r.at(hole) || r.symbol("(") || r.at(end) {
		return !r.at(end)
	}
	for n := 1; n < 8; n++ {
		switch t := r.ahead(n); {
		case isSymbol(t, "="), isSymbol(t, ":="), isSymbol(t, "["), t.kind == hole:
			return true
		case !isSymbol(t, ".") && t.kind != word && t.kind != quoted:
			return false
		}
	}
	return false
}

// delete reads DELETE FROM.
func (r *reader) delete(sc *scope) {
	r.next()
	if !r.take("FROM") {
		r.deleteFromJoin(sc)
		return
	}
	r.take("ONLY")
	if _, ok := r.table(Write); !ok {
		return
	}
	r.takeSymbol("*")
	r.alias(sc)
	if !r.script && !r.afterTable() {
		r.wrong()
		return
	}
	if r.take("USING") {
		r.from(sc)
	}
	r.clauses(sc)
}

// deleteFromJoin reads what MySQL has: DELETE a, b FROM t AS a JOIN u AS b ….
func (r *reader) deleteFromJoin(sc *scope) {
	for {
		if _, ok := r.name(); !ok {
			r.wrong()
			return
		}
		if !r.takeSymbol(",") {
			break
		}
	}
	if !r.take("FROM") {
		r.wrong()
		return
	}
	before := len(r.uses)
	r.tableRef(sc)
	for i := before; i < len(r.uses); i++ {
		r.uses[i].Access = Write
	}
	for n := r.joinLength(); n > 0; n = r.joinLength() {
		r.i += n
		r.tableRef(sc)
		if r.take("ON") {
			r.exprs(sc, true)
		}
	}
	r.clauses(sc)
}

// merge reads MERGE INTO … USING.
func (r *reader) merge(sc *scope) {
	r.next()
	if !r.take("INTO") {
		r.wrong()
		return
	}
	r.take("ONLY")
	if _, ok := r.table(Write); !ok {
		return
	}
	r.takeSymbol("*")
	r.alias(sc)
	if !r.take("USING") {
		r.wrong()
		return
	}
	r.tableRef(sc)
	for {
		r.exprs(sc, false)
		if !r.take("INTO") {
			return
		}
	}
}
