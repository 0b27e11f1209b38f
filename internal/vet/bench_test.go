package vet

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/cache"
)

// BenchmarkAgain vets this repository's own packages again: nothing has changed,
// or a file went to another content and is back at one that was seen.
func BenchmarkAgain(b *testing.B) {
	root := b.TempDir()
	copyGo(b, filepath.Join("..", ".."), root)
	c := cache.New(cache.NewFolder(b.TempDir(), cache.DefaultSize), nil)
	vet := func() Stats {
		res, err := Run(context.Background(), Options{Dir: root, Rules: analyzers.Suite(), Cache: c})
		if err != nil {
			b.Fatal(err)
		}
		return res.Stats
	}
	file := filepath.Join(root, "internal", "fault", "fault.go")
	src, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	write := func(i int) {
		text := src
		if i%2 == 1 {
			text = append(text[:len(text):len(text)], "\nfunc added() {}\n\nvar _ = added\n"...)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 2 {
		write(i)
		vet()
	}
	b.Run("reverted", func(b *testing.B) {
		for i := range b.N {
			b.StopTimer()
			write(i)
			b.StartTimer()
			if s := vet(); s.Analysed > 0 {
				b.Fatalf("analysed %d packages", s.Analysed)
			}
		}
	})
	time.Sleep(2100 * time.Millisecond) // so that times can be trusted
	vet()
	b.Run("nothing", func(b *testing.B) {
		for range b.N {
			if !vet().Replayed {
				b.Fatal("not replayed")
			}
		}
	})
}

// copyGo copies what a run reads: Go files, and those beside them.
func copyGo(b *testing.B, from, to string) {
	err := fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != ".") {
				return fs.SkipDir
			}
			return err
		}
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		file := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, data, 0o644)
	})
	if err != nil {
		b.Fatal(err)
	}
}
