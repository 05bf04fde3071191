//go:build !cgo

package ppocr

import "errors"

// Supported reports whether this binary was built with the engine.
const Supported = false

var errNoCgo = errors.New("built with CGO_ENABLED=0")

type model struct{}

func loadLibrary(string) error              { return errNoCgo }
func openModel(string, int) (*model, error) { return nil, errNoCgo }

func (*model) run([]float32, int, int, func([]float32, []int64)) error { return errNoCgo }
func (*model) close() error                                            { return nil }
