// Package sqltext reads which tables and schemas SQL text names, and what it
// does to them. It is a lexer and a reader of statements that follows the
// scopes of names (common table expressions, sub-queries, aliases), not the
// whole grammar: expressions are skipped over, with the sub-queries in them.
//
// It reads SQLite (as of version 3.50, lang.html) and PostgreSQL (as of version
// 18, chapters 4 and "SQL Commands" of its manual) alike, and of MySQL what
// these two are likely to be mixed with: backquoted names, REPLACE, ON
// DUPLICATE KEY. No statement means one thing in one of them and another in the
// other as far as tables go; where the two disagree about a token the reading
// is taken that names fewer tables.
//
// Text may have holes: places that are filled in when the program runs (Hole,
// the verbs of package fmt, templates). A name that touches a hole is unknown
// and not told.
package sqltext
