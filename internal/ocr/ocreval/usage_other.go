//go:build !linux

package ocreval

import "time"

// resources are not measured here.
type resources struct {
	cpu     time.Duration
	peakRSS int64
}

func usage() resources { return resources{} }
