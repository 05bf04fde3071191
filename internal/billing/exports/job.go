package exports

import (
	"context"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/blob"
	"huizhi/internal/exportjobs"
	"huizhi/internal/tenants"
)

// Kind names the exports of this package in exportjobs.
const Kind = "billing"

// Export is one that is made in the background.
type Export = exportjobs.Of[Request]

// Start puts an export into the queue. An empty or too large one is Invalid.
func (s *Service) Start(ctx context.Context, p Party, r Request, now time.Time) (*Export, error) {
	size, err := s.sized(ctx, p, r, now)
	if err != nil {
		return nil, err
	}
	e := &Export{Export: exportjobs.Export{Owner: p.Books.Owner(), Kind: Kind, UserID: p.UserID, RowsTotal: size.Rows}, Request: r}
	return e, s.Exports.Start(ctx, &e.Export, r, now, nil)
}

// Now checks that a small export can be made while the browser waits; the caller
// goes on with Write.
func (s *Service) Now(ctx context.Context, p Party, r Request, now time.Time) (atOnce bool, err error) {
	size, err := s.sized(ctx, p, r, now)
	if err != nil {
		return false, err
	}
	return size.AtOnce, nil
}

// partyOf is who asked for the export.
func partyOf(e *exportjobs.Export) Party {
	if e.Owner == billing.Platform {
		return Staff(tenants.AllTenants("an export that the platform's finance staff asked for"), e.UserID)
	}
	return Member(tenants.ForTenant(e.Owner), e.UserID)
}

// MakeExport writes the file of an export that was started.
func (s *Service) MakeExport(ctx context.Context, e *exportjobs.Export, out exportjobs.Output) error {
	read, err := exportjobs.Read[Request](e)
	if err != nil {
		return err
	}
	return s.Write(ctx, partyOf(e), read.Request, e.CreatedAt, out.File, out.Tick)
}

// ExportKey puts a name into the owner's part of the blob store.
func (s *Service) ExportKey(e *exportjobs.Export, name string) string {
	return partyOf(e).Books.BlobKey(name)
}

// Recent lists the party's last exports, the newest first.
func (s *Service) Recent(ctx context.Context, p Party) ([]Export, error) {
	list, err := s.Exports.Recent(ctx, p.Books.Owner(), Kind, "")
	if err != nil {
		return nil, err
	}
	return exportjobs.ReadAll[Request](list)
}

// Open opens the file of an export; NotFound when there is none or it has expired.
func (s *Service) Open(ctx context.Context, p Party, id string, now time.Time) (*Export, *blob.Reader, error) {
	e, file, err := s.Exports.Open(ctx, p.Books.Owner(), Kind, id, false, now)
	if err != nil {
		return nil, nil, err
	}
	out, err := exportjobs.Read[Request](e)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return out, file, nil
}
