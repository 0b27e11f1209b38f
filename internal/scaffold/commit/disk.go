package commit

import (
	"errors"
	"io/fs"
	"os"
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
func (d disk) write(name string, data []byte, mode fs.FileMode) (err error) {
	if err := d.before("create", name); err != nil {
		return err
	}
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := d.before("write", name); err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := d.before("sync", name); err != nil {
		return err
	}
	return f.Sync()
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
