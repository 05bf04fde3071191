package ocreval

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// resources are those of this process and its children, dead or alive.
type resources struct {
	cpu     time.Duration
	peakRSS int64 // bytes, of the largest single process
}

// clockTick is the unit of times in /proc, on Linux 1/100 s everywhere (USER_HZ).
const clockTick = 10 * time.Millisecond

func usage() resources {
	var r resources
	self := strconv.Itoa(os.Getpid())
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		// The name, in parentheses, may hold anything; the rest is numbers, from
		// field 3 on: parent is 4, user and system time 14 and 15, and those of
		// children that were waited for 16 and 17 (proc(5)).
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		pid := filepath.Base(filepath.Dir(path))
		if len(fields) < 15 || pid != self && fields[1] != self {
			continue
		}
		for _, f := range fields[11:15] {
			ticks, _ := strconv.ParseInt(f, 10, 64)
			r.cpu += time.Duration(ticks) * clockTick
		}
		r.peakRSS = max(r.peakRSS, peakRSS(pid))
	}
	return r
}

func peakRSS(pid string) int64 {
	b, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(b), "VmHWM:")
	var kB int64
	if _, err := fmt.Sscan(after, &kB); err != nil {
		return 0
	}
	return kB << 10
}
