package vendorcheck

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/vendorcheck/goenv"
)

// settings are what the environment tells the go command about vendoring.
type settings struct {
	env *goenv.Env
	// mod, modfile and overlay are the flags of that name in GOFLAGS, and from
	// is where GOFLAGS was set.
	mod, modfile, overlay string
	from                  goenv.Origin
	// off is true for GO111MODULE=off, and offFrom is where that was set.
	off     bool
	offFrom goenv.Origin
	// work is GOWORK, and workFrom where it was set.
	work     string
	workFrom goenv.Origin
	// toolchain is the version of the toolchain at hand, or "".
	toolchain string
}

func readSettings(environ []string) (*settings, error) {
	env := goenv.Read(environ)
	s := &settings{env: env, toolchain: env.Version()}
	text, from := env.Get("GOFLAGS")
	flags, err := goenv.Split(text)
	if err != nil {
		return nil, fault.New("GOFLAGS", fmt.Sprintf("%v, set %s", err, from), "run 'go env GOFLAGS' and mend it: each flag is one word, as in '-mod=vendor'")
	}
	s.from = from
	s.mod, _ = goenv.Flag(flags, "mod")
	s.modfile, _ = goenv.Flag(flags, "modfile")
	s.overlay, _ = goenv.Flag(flags, "overlay")
	switch s.mod {
	case "", "mod", "readonly", "vendor":
	default:
		return nil, fault.New("GOFLAGS", fmt.Sprintf("-mod=%s, set %s, is none of mod, readonly and vendor", s.mod, from), "run 'go env -u GOFLAGS', or unset it")
	}
	onOff, offFrom := env.Get("GO111MODULE")
	s.off, s.offFrom = onOff == "off", offFrom
	s.work, s.workFrom = env.Get("GOWORK")
	if s.work != "" && s.work != "off" && s.work != "auto" {
		if !filepath.IsAbs(s.work) {
			return nil, fault.New("GOWORK", fmt.Sprintf("%s, set %s, is not an absolute path", s.work, s.workFrom), "give an absolute path, 'off' or 'auto'")
		}
		if real, err := filepath.EvalSymlinks(s.work); err == nil {
			s.work = real
		}
	}
	return s, nil
}

// activeWork is the go.work that a build in dir would use, or "". named is true
// where GOWORK names the file rather than that it was found.
func (s *settings) activeWork(dir string) (name string, named bool, err error) {
	switch s.work {
	case "off":
		return "", false, nil
	case "", "auto":
		for {
			if name := filepath.Join(dir, "go.work"); isThere(name) {
				return name, false, nil
			}
			parent := filepath.Dir(dir)
			if parent == dir || parent == s.env.Goroot() {
				return "", false, nil
			}
			dir = parent
		}
	}
	if !isThere(s.work) {
		return "", false, fault.New("GOWORK", fmt.Sprintf("%s, set %s, does not exist", filepath.ToSlash(s.work), s.workFrom), "give the path of a go.work file, 'off' or 'auto'")
	}
	return s.work, true, nil
}

// modFile is the file that -modfile puts in the place of the go.mod in dir, or
// "" where there is no such file. A relative name is taken from dir, where such
// a build would be started.
func (s *settings) modFile(dir string) string {
	name := s.modfile
	if name != "" && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	if name == "" || !isThere(name) {
		return ""
	}
	return name
}

// flagWords is a flag of GOFLAGS with where it comes from.
func (s *settings) flagWords(flag string) string {
	return fmt.Sprintf("GOFLAGS=%s, set %s", flag, s.from)
}

// ModCache is the module cache of an environment: GOMODCACHE, or pkg/mod in the
// first folder of GOPATH; "" where there is no home folder either.
func ModCache(environ []string) string {
	env := goenv.Read(environ)
	if dir, _ := env.Get("GOMODCACHE"); dir != "" {
		return dir
	}
	path, _ := env.Get("GOPATH")
	if first := filepath.SplitList(path); len(first) > 0 && first[0] != "" {
		return filepath.Join(first[0], "pkg", "mod")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, "go", "pkg", "mod")
}
