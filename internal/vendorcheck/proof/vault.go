package proof

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/module"
)

// Vault is everything at hand that may tell what a module holds. It is safe for
// concurrent use.
type Vault struct {
	// ModCache is the module cache, GOMODCACHE.
	ModCache string
	// Kept is the folder of manifests that were kept, or "".
	Kept string
	// File is the manifest file of the repository, or nil.
	File *File
	// Thorough inflates the zips beside proven folders as well, instead of
	// reading their directories only.
	Thorough bool
}

// Evidence is what there is about a module version.
type Evidence struct {
	// Content is the proven list of files; nil where nothing proves one.
	Content *Content
	// Tampered are files and folders of the module cache that are not what
	// go.sum vouches for.
	Tampered []string
	// Absent is true where nothing was found that could prove it.
	Absent bool
}

// Look looks for the content of a module version whose hash is one of hashes, as
// "h1:…". Manifests that were kept go first: they are the cheapest.
func (v *Vault) Look(mod module.Version, hashes []string) (Evidence, error) {
	for _, source := range []func() (*Content, error){
		func() (*Content, error) { return v.kept(mod) },
		func() (*Content, error) { return v.File.content(mod) },
	} {
		if c, err := source(); err == nil && c != nil && slices.Contains(hashes, c.H1()) {
			return Evidence{Content: c}, nil
		}
		// One that is damaged, or of other bytes, is of no use and no harm.
	}
	return v.lookInCache(mod, hashes)
}

func (v *Vault) lookInCache(mod module.Version, hashes []string) (Evidence, error) {
	var e Evidence
	dir, file, err := v.places(mod)
	if err != nil {
		return e, err
	}
	folder, sums, err := readFolder(mod, dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		folder = nil
	case err != nil:
		return e, err
	case slices.Contains(hashes, folder.H1()):
		e.Content = folder
	default:
		e.Tampered = append(e.Tampered, dir)
	}
	if e.Content != nil && !v.Thorough {
		if !sameAsZip(mod, file, sums) {
			e.Tampered = append(e.Tampered, file)
		}
		return e, nil
	}
	zipped, err := readZip(mod, file)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil || !slices.Contains(hashes, zipped.H1()):
		e.Tampered = append(e.Tampered, file)
	case e.Content == nil:
		e.Content = zipped
	}
	e.Absent = e.Content == nil && len(e.Tampered) == 0
	return e, nil
}

// places are where the module cache has the folder and the zip of a module.
func (v *Vault) places(mod module.Version) (dir, file string, err error) {
	path, err := module.EscapePath(mod.Path)
	if err != nil {
		return "", "", err
	}
	version, err := module.EscapeVersion(mod.Version)
	if err != nil {
		return "", "", err
	}
	path = filepath.FromSlash(path)
	return filepath.Join(v.ModCache, path+"@"+version),
		filepath.Join(v.ModCache, "cache", "download", path, "@v", version+".zip"), nil
}

// ModFile is the go.mod that the module cache has of a module, without any
// proof; nil where it has none.
func (v *Vault) ModFile(mod module.Version) []byte {
	_, file, err := v.places(mod)
	if err != nil {
		return nil
	}
	data, err := os.ReadFile(file[:len(file)-len("zip")] + "mod")
	if err != nil {
		return nil
	}
	return data
}
