package blob

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// stageDir holds unfinished streams inside the folder, so that committing is a rename within one file
// system. Keys cannot start with a dot, so it never collides with objects.
const stageDir = ".stage"

// abandoned is the age at which an unfinished stream is taken for a killed process's leftover. It is far
// above the longest upload.
const abandoned = 48 * time.Hour

// folder keeps objects as plain files below root, named by their keys.
type folder struct{ root string }

func openFolder(root string) (*folder, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	stage := filepath.Join(root, stageDir)
	if err := os.MkdirAll(stage, 0o700); err != nil {
		return nil, err
	}
	leftovers, err := os.ReadDir(stage)
	if err != nil {
		return nil, err
	}
	for _, entry := range leftovers {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(stage, entry.Name()))
		}
	}
	return &folder{root}, nil
}

func (d *folder) path(key string) string { return filepath.Join(d.root, filepath.FromSlash(key)) }

func (d *folder) stage() (*os.File, error) {
	return os.CreateTemp(filepath.Join(d.root, stageDir), "put-*")
}

func (d *folder) commit(_ context.Context, key string, staged *os.File, _ string) error {
	if err := staged.Sync(); err != nil {
		return err
	}
	path := d.path(key)
	if err := d.makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Rename(staged.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// makeDir creates a directory and its parents, and flushes the entry of each one it made.
func (d *folder) makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case err == nil:
		return syncDir(filepath.Dir(dir))
	case errors.Is(err, os.ErrExist):
		return nil
	case errors.Is(err, os.ErrNotExist) && len(dir) > len(d.root):
		if err := d.makeDir(filepath.Dir(dir)); err != nil {
			return err
		}
		return d.makeDir(dir)
	default:
		return err
	}
}

// syncDir flushes a directory's entries.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *folder) exists(_ context.Context, key string) (bool, error) {
	info, err := os.Stat(d.path(key))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return info.Mode().IsRegular(), nil
}

func (d *folder) open(_ context.Context, key string) (*Reader, error) {
	f, err := os.Open(d.path(key))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: a directory", ErrNotFound)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Reader{f, info.Size()}, nil
}

func (d *folder) delete(_ context.Context, key string) error {
	path := d.path(key)
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func (d *folder) close() error { return nil }
