package fapiao

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/tenants"
)

// MaxFile bounds the file of a fapiao, in bytes; real ones have some 100 KB.
const MaxFile = 10 << 20

// The formats in which the tax system hands fapiaos out. An OFD (GB/T 33190) is a
// ZIP with an OFD.xml at its top.
const (
	TypePDF = "application/pdf"
	TypeOFD = "application/ofd"
)

// File is a file of a fapiao that has been stored.
type File struct{ key, contentType string }

// Store keeps the file of a fapiao. What is neither PDF nor OFD, whatever its name
// says, is Invalid.
func (s *Service) Store(ctx context.Context, sc tenants.Scope, r io.Reader) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot receive the file: %w", err)
	}
	if len(data) > MaxFile {
		return nil, apperr.Field("file", "error.fapiao.file_size")
	}
	kind := sniff(data)
	if kind == "" {
		return nil, apperr.Field("file", "error.fapiao.file_type")
	}
	stored, err := s.Blobs.PutSHA256(ctx, sc.BlobKey("fapiaos"), bytes.NewReader(data), MaxFile)
	if err != nil {
		return nil, fmt.Errorf("cannot keep the file of the fapiao: %w", err)
	}
	return &File{stored.Key, kind}, nil
}

// sniff tells the format by the content, "" for neither.
func sniff(data []byte) string {
	if bytes.HasPrefix(data, []byte("%PDF-")) {
		return TypePDF
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return ""
	}
	for _, f := range z.File {
		if f.Name == "OFD.xml" {
			return TypeOFD
		}
	}
	return ""
}

// Open opens the file of a fapiao; NotFound when there is none.
func (s *Service) Open(ctx context.Context, sc tenants.Scope, id string) (*Listed, *blob.Reader, error) {
	f, err := s.Get(ctx, sc, id)
	if err != nil {
		return nil, nil, err
	}
	if f.FileKey == "" {
		return nil, nil, apperr.New(apperr.NotFound, "error.fapiao.no_file")
	}
	r, err := s.Blobs.NewReader(ctx, f.FileKey)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil, apperr.New(apperr.NotFound, "error.fapiao.no_file")
	}
	return f, r, err
}
