// Package receipts makes the outputs of a batch: all receipts and standard photos
// as one ZIP with an index, the index alone, and all receipts as one PDF for
// printing. Each is written as it is made: whatever the size of the batch, one
// receipt at a time is in memory.
//
//	archive.go  the ZIP
//	index.go    the XLSX
//	print.go    the PDF
//	pdf.go      puts PDF files one after the other
//	name.go     names of files that Windows takes
package receipts

import (
	"context"
	"io"
	"time"
)

// File is a stored file of an entry; without a Key there is none.
type File struct {
	Key  string
	Type string // application/pdf, image/jpeg or image/png
}

// Entry is one completed order with what was received for it.
type Entry struct {
	Seq         int64 // place in the batch
	Number      string
	Name        string
	IDNumber    string
	TypeName    string
	City        string
	ImageCode   string
	CompletedAt time.Time
	Receipt     File
	Photo       File
}

// Batch is where the entries and their files come from.
type Batch struct {
	// Each visits the entries in their places.
	Each func(visit func(Entry) error) error
	// Open opens a stored file.
	Open func(ctx context.Context, key string) (io.ReadSeekCloser, error)
}
