//go:build !unix

package app

// lockFile does nothing where there is no flock; SQLite's own locking remains.
func lockFile(string) (func() error, error) { return func() error { return nil }, nil }
