package orders

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
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
	row, err := s.newestCatalogue(ctx, s.DB)
	if db.IsNoRows(err) {
		if _, err := s.syncCatalogue(ctx); err != nil {
			return nil, apperr.New(apperr.Unavailable, "error.catalogue.unavailable").Wrap(err)
		}
		row, err = s.newestCatalogue(ctx, s.DB)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the catalogue: %w", err)
	}
	return row.Types, nil
}

func (s *Service) newestCatalogue(ctx context.Context, tx bun.IDB) (*catalogueRow, error) {
	row := new(catalogueRow)
	return row, tx.NewSelect().Model(row).Where("provider = ?", s.Account).Order("version DESC").Limit(1).Scan(ctx)
}

// Type finds one receipt type.
func (s *Service) Type(ctx context.Context, id int) (providers.Type, error) {
	all, err := s.Types(ctx)
	if err != nil {
		return providers.Type{}, err
	}
	return pickType(all, id)
}

// typeIn is Type within a transaction: the provider is not asked.
func (s *Service) typeIn(ctx context.Context, tx bun.IDB, id int) (providers.Type, error) {
	row, err := s.newestCatalogue(ctx, tx)
	if err != nil && !db.IsNoRows(err) {
		return providers.Type{}, fmt.Errorf("cannot load the catalogue: %w", err)
	}
	return pickType(row.Types, id)
}

func pickType(all []providers.Type, id int) (providers.Type, error) {
	i := slices.IndexFunc(all, func(t providers.Type) bool { return t.ID == id })
	if i < 0 {
		return providers.Type{}, apperr.Field("type", "error.batch.type")
	}
	return all[i], nil
}

// syncCatalogue asks the provider for its types and keeps them as a new version
// when they differ from the newest that is kept.
func (s *Service) syncCatalogue(ctx context.Context) (time.Duration, error) {
	types, err := call(ctx, s, opTypes, 1, s.Provider.Types)
	if err != nil {
		return time.Minute, fmt.Errorf("cannot fetch the catalogue: %w", err)
	}
	return 0, s.keepCatalogue(ctx, types)
}

// SyncCatalogue fetches the catalogue now; the engine does so every hour and
// whenever the provider refuses a type or a field.
func (s *Service) SyncCatalogue(ctx context.Context) error {
	_, err := s.syncCatalogue(ctx)
	return err
}

var allOpen = tenants.AllTenants("a change of the provider's catalogue concerns the open orders of all tenants")

func (s *Service) keepCatalogue(ctx context.Context, types []providers.Type) error {
	text, err := json.Marshal(types)
	if err != nil {
		return fmt.Errorf("cannot encode the catalogue: %w", err)
	}
	sum := sha256.Sum256(text)
	row := &catalogueRow{Provider: s.Account, Version: 1, SHA256: hex.EncodeToString(sum[:]), Types: types}
	defer s.types.Store(nil)
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		row.FetchedAt, row.SeenAt = s.now(), s.now()
		newest, err := s.newestCatalogue(ctx, tx)
		if err != nil && !db.IsNoRows(err) {
			return fmt.Errorf("cannot load the catalogue: %w", err)
		}
		if newest.SHA256 == row.SHA256 {
			_, err := tx.NewUpdate().Model(newest).Set("seen_at = ?", row.SeenAt).WherePK().Exec(ctx)
			return err
		}
		row.Version = newest.Version + 1
		// Another process may be keeping the same version.
		res, err := tx.NewInsert().Model(row).On("CONFLICT (provider, version) DO NOTHING").Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot keep the catalogue: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 || newest.Version == 0 {
			return nil
		}
		s.Log.WarnContext(ctx, "the provider's catalogue has changed", "version", row.Version)
		return adoptFields(ctx, tx, allOpen, DiffCatalogues(newest.Types, types))
	})
}

// adoptFields lets batches and orders that are not sent yet ask for what the
// changed types require now. A confirmed order that lacks something goes back
// to review when it is submitted.
func adoptFields(ctx context.Context, tx bun.Tx, _ tenants.Sweep, diff CatalogueDiff) error {
	for _, c := range diff.Changed {
		if len(c.RequiredAdded)+len(c.RequiredRemoved) == 0 {
			continue
		}
		fields, err := json.Marshal(c.Now.RequiredFields)
		if err != nil {
			return fmt.Errorf("cannot encode the fields of type %d: %w", c.Now.ID, err)
		}
		_, err = tx.NewUpdate().Model((*Batch)(nil)).Set("required_fields = ?", string(fields)).Where("type_id = ?", c.Now.ID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot adapt the batches of type %d: %w", c.Now.ID, err)
		}
		open := []Status{StatusDraft, StatusRecognizing, StatusReview, StatusReady, StatusFailed, StatusRejected}
		_, err = tx.NewUpdate().Model((*Order)(nil)).Set("required_fields = ?, version = version + 1", string(fields)).
			Where("type_id = ? AND status IN (?)", c.Now.ID, bun.List(open)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot adapt the orders of type %d: %w", c.Now.ID, err)
		}
	}
	return nil
}

// CatalogueVersion is one state of the provider's catalogue, with what it
// changed of the one before.
type CatalogueVersion struct {
	Version   int64
	FetchedAt time.Time // when it was first seen
	SeenAt    time.Time // when it was last found unchanged
	Types     []providers.Type
	Diff      CatalogueDiff // empty for the oldest that is listed
}

// Catalogues lists the newest versions of the catalogue, newest first.
func (s *Service) Catalogues(ctx context.Context, limit int) ([]CatalogueVersion, error) {
	var rows []catalogueRow
	err := s.DB.NewSelect().Model(&rows).Where("provider = ?", s.Account).Order("version DESC").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the catalogue's versions: %w", err)
	}
	out := make([]CatalogueVersion, len(rows))
	for i, r := range rows {
		out[i] = CatalogueVersion{Version: r.Version, FetchedAt: r.FetchedAt, SeenAt: r.SeenAt, Types: r.Types}
		if i+1 < len(rows) {
			out[i].Diff = DiffCatalogues(rows[i+1].Types, r.Types)
		}
	}
	return out, nil
}

// CatalogueDiff is what changed from one version of the catalogue to the next.
type CatalogueDiff struct {
	Added, Removed []providers.Type
	Changed        []TypeChange
}

// Empty tells that nothing changed.
func (d CatalogueDiff) Empty() bool { return len(d.Added)+len(d.Removed)+len(d.Changed) == 0 }

// TypeChange is what changed of one receipt type.
type TypeChange struct {
	Was, Now                       providers.Type
	Renamed                        bool     // Was.Name and Now.Name differ
	RequiredAdded, RequiredRemoved []string // custom fields
	CitiesAdded, CitiesRemoved     []string // "广东省,深圳市"
	Texts                          []string // fields whose guide differs otherwise; "" stands for the type's own description or place
}

// DiffCatalogues compares two versions by the types' ids.
func DiffCatalogues(was, now []providers.Type) (d CatalogueDiff) {
	for _, t := range now {
		i := slices.IndexFunc(was, func(o providers.Type) bool { return o.ID == t.ID })
		if i < 0 {
			d.Added = append(d.Added, t)
			continue
		}
		if c, differs := diffTypes(was[i], t); differs {
			d.Changed = append(d.Changed, c)
		}
	}
	for _, t := range was {
		if !slices.ContainsFunc(now, func(n providers.Type) bool { return n.ID == t.ID }) {
			d.Removed = append(d.Removed, t)
		}
	}
	return d
}

func diffTypes(was, now providers.Type) (c TypeChange, differs bool) {
	c = TypeChange{Was: was, Now: now, Renamed: was.Name != now.Name}
	c.RequiredAdded, c.RequiredRemoved = without(now.RequiredFields, was.RequiredFields), without(was.RequiredFields, now.RequiredFields)
	c.CitiesAdded, c.CitiesRemoved = without(now.Cities(), was.Cities()), without(was.Cities(), now.Cities())
	if was.Description != now.Description || was.SortOrder != now.SortOrder {
		c.Texts = append(c.Texts, "")
	}
	names := append(was.GuidedFields(), without(now.GuidedFields(), was.GuidedFields())...)
	for _, name := range names {
		a, b := was.Guide[name], now.Guide[name]
		if a.Label != b.Label || a.Description != b.Description || !slices.Equal(a.Values, b.Values) {
			c.Texts = append(c.Texts, name)
		}
	}
	differs = c.Renamed || len(c.RequiredAdded)+len(c.RequiredRemoved)+len(c.CitiesAdded)+len(c.CitiesRemoved)+len(c.Texts) > 0
	return c, differs
}

// without returns the elements of list that are not in other.
func without(list, other []string) []string {
	known := make(map[string]bool, len(other))
	for _, x := range other {
		known[x] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return known[x] })
}
