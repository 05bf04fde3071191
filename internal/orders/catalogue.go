package orders

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/providers"
)

// typesFor is how long the catalogue is served from memory; another process may
// have fetched a newer version meanwhile.
const typesFor = 10 * time.Second

// knownTypes is the catalogue in memory. It is shared: nobody changes it.
type knownTypes struct {
	types []providers.Type
	until time.Time
}

// Types returns the receipt types that the provider offers, from the newest
// version of its catalogue, for reading only. When none is kept yet, the
// provider is asked.
func (s *Service) Types(ctx context.Context) ([]providers.Type, error) {
	now := s.now()
	if known := s.types.Load(); known != nil && now.Before(known.until) {
		return known.types, nil
	}
	types, err := s.loadTypes(ctx)
	if err != nil {
		return nil, err
	}
	s.types.Store(&knownTypes{types, now.Add(typesFor)})
	return types, nil
}

func (s *Service) loadTypes(ctx context.Context) ([]providers.Type, error) {
	row := new(catalogueRow)
	err := s.DB.NewSelect().Model(row).Where("provider = ?", s.Account).Order("fetched_at DESC").Limit(1).Scan(ctx)
	if db.IsNoRows(err) {
		if _, err := s.syncCatalogue(ctx); err != nil {
			return nil, apperr.New(apperr.Unavailable, "error.catalogue.unavailable").Wrap(err)
		}
		err = s.DB.NewSelect().Model(row).Where("provider = ?", s.Account).Order("fetched_at DESC").Limit(1).Scan(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the catalogue: %w", err)
	}
	return row.Types, nil
}

// Type finds one receipt type.
func (s *Service) Type(ctx context.Context, id int) (providers.Type, error) {
	all, err := s.Types(ctx)
	if err != nil {
		return providers.Type{}, err
	}
	for _, t := range all {
		if t.ID == id {
			return t, nil
		}
	}
	return providers.Type{}, apperr.Field("type", "error.batch.type")
}

// syncCatalogue asks the provider for its types and keeps them as a new version
// when they differ from what is kept.
func (s *Service) syncCatalogue(ctx context.Context) (time.Duration, error) {
	types, err := s.Provider.Types(ctx)
	if err != nil {
		return time.Minute, fmt.Errorf("cannot fetch the catalogue: %w", err)
	}
	text, err := json.Marshal(types)
	if err != nil {
		return 0, fmt.Errorf("cannot encode the catalogue: %w", err)
	}
	sum := sha256.Sum256(text)
	row := &catalogueRow{ID: db.NewID(), Provider: s.Account, SHA256: hex.EncodeToString(sum[:]), Types: types, FetchedAt: s.now()}
	_, err = s.DB.NewInsert().Model(row).On("CONFLICT (provider, sha256) DO UPDATE").Set("fetched_at = EXCLUDED.fetched_at").Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot keep the catalogue: %w", err)
	}
	s.types.Store(nil)
	return 0, nil
}
