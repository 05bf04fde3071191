//go:build unix

package app

import (
	"fmt"
	"os"
	"syscall"
)

// lockFile makes sure that one process works an SQLite database. The lock goes
// with the process, however it ends.
func lockFile(path string) (func() error, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another process is using this data folder: stop it first, or set HUIZHI_DATA_DIR (%s)", path)
	}
	return f.Close, nil
}
