package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// growth measures fractl alone on modules of like packages, 50 to 400 of them:
// what a package costs must not depend on how many there are.
func growth(tmp string, t tool) error {
	fmt.Printf("| packages | cold CPU s | a package, ms | no change CPU s | peak MB |\n| --- | --- | --- | --- | --- |\n")
	for _, n := range []int{50, 100, 200, 400} {
		dir := filepath.Join(tmp, fmt.Sprint("growth", n))
		if err := writeGrowth(dir, n); err != nil {
			return err
		}
		s := &session{tool: t, at: place{dir: dir, patterns: []string{"./..."}}, home: filepath.Join(tmp, "home")}
		if err := s.reset(); err != nil {
			return err
		}
		cold, err := s.time(s.at.patterns, "")
		if err != nil {
			return err
		}
		time.Sleep(2500 * time.Millisecond)
		if _, err := s.time(s.at.patterns, ""); err != nil {
			return err
		}
		again, err := s.time(s.at.patterns, "")
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.2f | %.1f | %.3f | %d |\n", n, cold.cpu, 1000*cold.cpu/float64(n), again.cpu, cold.mb)
	}
	return nil
}

// writeGrowth writes n packages; each imports the two before it.
func writeGrowth(dir string, n int) error {
	write := func(name, text string) error {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return os.WriteFile(name, []byte(text), 0o644)
	}
	if err := write("go.mod", "module example.com/growth\n\ngo 1.26\n"); err != nil {
		return err
	}
	for i := range n {
		imports, calls := "", ""
		for _, j := range []int{i - 1, i - 2} {
			if j >= 0 {
				imports += fmt.Sprintf("\t\"example.com/growth/p%03d\"\n", j)
				calls += fmt.Sprintf("\tif _, err := p%03d.Load(ctx, s.DB); err != nil {\n\t\treturn nil, err\n\t}\n", j)
			}
		}
		var b strings.Builder
		fmt.Fprintf(&b, "package p%03d\n\nimport (\n\t\"context\"\n\t\"database/sql\"\n\t\"net/http\"\n\t\"sync\"\n\t\"time\"\n\n%s)\n\ntype Store struct {\n\tDB *sql.DB\n\tmu sync.Mutex\n\tseen map[string]time.Time\n}\n", i, imports)
		fmt.Fprintf(&b, "\nfunc Load(ctx context.Context, db *sql.DB) (*Store, error) {\n\ts := &Store{DB: db, seen: make(map[string]time.Time)}\n%s\treturn s, s.refresh(ctx)\n}\n", calls)
		for k := range 12 {
			fmt.Fprintf(&b, "\nfunc (s *Store) Get%d(ctx context.Context, id string) (name string, err error) {\n\ts.mu.Lock()\n\tdefer s.mu.Unlock()\n\tif t, ok := s.seen[id]; ok && time.Since(t) < time.Minute {\n\t\treturn id, nil\n\t}\n\trow := s.DB.QueryRowContext(ctx, \"SELECT name FROM t%d WHERE id = $1\", id)\n\tif err := row.Scan(&name); err != nil {\n\t\treturn \"\", err\n\t}\n\ts.seen[id] = time.Now()\n\treturn name, nil\n}\n", k, k)
		}
		b.WriteString("\nfunc (s *Store) refresh(ctx context.Context) error {\n\tt := time.NewTicker(time.Second)\n\tdefer t.Stop()\n\tselect {\n\tcase <-t.C:\n\t\treturn nil\n\tcase <-ctx.Done():\n\t\treturn ctx.Err()\n\t}\n}\n")
		b.WriteString("\nfunc (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {\n\tname, err := s.Get0(r.Context(), r.URL.Query().Get(\"id\"))\n\tif err != nil {\n\t\thttp.Error(w, err.Error(), http.StatusNotFound)\n\t\treturn\n\t}\n\t_, _ = w.Write([]byte(name))\n}\n")
		if err := write(fmt.Sprintf("p%03d/p.go", i), b.String()); err != nil {
			return err
		}
	}
	return nil
}
