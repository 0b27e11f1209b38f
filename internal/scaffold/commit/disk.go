package commit

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"runtime"
)

// hook is called before an operation that changes the disk; an error stands for
// the failure of the operation. It may be called from several goroutines.
type hook func(op, name string) error

// disk is every operation by which a commit changes the tree. All go through
// the root and so stay below it, whatever links say.
type disk struct {
	root *os.Root
	hook hook
}

func (d disk) before(op, name string) error {
	if d.hook == nil {
		return nil
	}
	return d.hook(op, name)
}

func (d disk) mkdir(name string) error {
	if err := d.before("mkdir", name); err != nil {
		return err
	}
	return d.root.Mkdir(name, 0o755)
}

// write makes a new file with its content on the disk.
func (d disk) write(name string, data []byte, mode fs.FileMode) error {
	f, err := d.fill(d.root, name, name, data, mode)
	if err != nil {
		return err
	}
	return d.settle(f, name, true)
}

// fill makes a new file called base in dir, which is the folder of name, and
// leaves it open, its content still with the system.
func (d disk) fill(dir *os.Root, base, name string, data []byte, mode fs.FileMode) (*os.File, error) {
	if err := d.before("create", name); err != nil {
		return nil, err
	}
	f, err := dir.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	if err = d.before("write", name); err == nil {
		_, err = f.Write(data)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// settle brings the content of an open file to the disk and closes it. hard asks
// for no less than a sync.
func (d disk) settle(f *os.File, name string, hard bool) error {
	err := d.before("sync", name)
	switch {
	case err != nil:
	case hard:
		err = f.Sync()
	default:
		err = writeOut(f)
	}
	return errors.Join(err, f.Close())
}

// folders are open folders of a disk, by their name.
type folders struct {
	disk disk
	open map[string]*os.Root
}

// openAll opens folders. What it returns has to be closed, error or not.
func (d disk) openAll(names []string) (folders, error) {
	f := folders{disk: d, open: map[string]*os.Root{}}
	for _, name := range names {
		dir, err := d.root.OpenRoot(name)
		if err != nil {
			return f, err
		}
		f.open[name] = dir
	}
	return f, nil
}

// fill makes a new file in one of the folders. A root walks down the whole path
// of a name each time, which this saves.
func (f folders) fill(name string, data []byte, mode fs.FileMode) (*os.File, error) {
	return f.disk.fill(f.open[path.Dir(name)], path.Base(name), name, data, mode)
}

func (f folders) close() {
	for _, dir := range f.open {
		dir.Close()
	}
}

func (d disk) chmod(name string, mode fs.FileMode) error {
	if err := d.before("chmod", name); err != nil {
		return err
	}
	return d.root.Chmod(name, mode)
}

func (d disk) rename(from, to string) error {
	if err := d.before("rename", to); err != nil {
		return err
	}
	return d.root.Rename(from, to)
}

func (d disk) link(from, to string) error {
	if err := d.before("link", to); err != nil {
		return err
	}
	return d.root.Link(from, to)
}

func (d disk) remove(name string) error {
	if err := d.before("remove", name); err != nil {
		return err
	}
	return d.root.Remove(name)
}

func (d disk) removeAll(name string) error {
	if err := d.before("removeall", name); err != nil {
		return err
	}
	return d.root.RemoveAll(name)
}

// syncDir writes the entries of a folder to the disk. Windows has no such call
// and keeps its own order.
func (d disk) syncDir(name string) (err error) {
	if err := d.before("syncdir", name); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}
