package tenants

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
)

// APIKey lets a program act for a tenant. Only a hash of the secret is kept.
type APIKey struct {
	bun.BaseModel `bun:"table:api_keys,alias:api_key"`
	TenantID      string     `bun:",pk" json:"tenant_id"`
	ID            string     `bun:",pk" json:"id"`
	Name          string     `json:"name"`
	Prefix        string     `json:"prefix"` // the first characters, to tell keys apart
	Test          bool       `json:"test"`   // everything done with it is a rehearsal: never real, never charged
	SecretHash    string     `json:"-"`
	CreatedBy     string     `json:"created_by"`
	CreatedAt     time.Time  `json:"created_at"`
	LastUsedAt    *time.Time `json:"last_used_at"`
	RevokedAt     *time.Time `json:"revoked_at"`
}

// The prefixes mark our keys, so that secret scanners can know them and people
// see which are for tests.
const (
	keyPrefix     = "hz_"
	testKeyPrefix = keyPrefix + "test_"
)

func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// CreateAPIKey makes a key and returns its secret, which is shown this once:
// 160 random bits, so a plain SHA-256 is enough to keep it.
func (s *Service) CreateAPIKey(ctx context.Context, sc Scope, name string, test bool, actor string, now time.Time) (*APIKey, string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return nil, "", apperr.Field("name", "error.apikey.name_required")
	}
	raw := make([]byte, 20)
	rand.Read(raw)
	prefix := keyPrefix
	if test {
		prefix = testKeyPrefix
	}
	secret := prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
	k := &APIKey{TenantID: sc.TenantID(), ID: db.NewID(), Name: name, Prefix: secret[:len(prefix)+6], Test: test,
		SecretHash: hashSecret(secret), CreatedBy: actor, CreatedAt: now}
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(k).Exec(ctx); err != nil {
			return fmt.Errorf("cannot create the API key: %w", err)
		}
		return Audit(ctx, tx, sc, actor, "api_key.create", "api_key", k.ID, now)
	})
	if err != nil {
		return nil, "", err
	}
	return k, secret, nil
}

// APIKeys lists the tenant's keys, newest first.
func (s *Service) APIKeys(ctx context.Context, sc Scope) ([]APIKey, error) {
	var out []APIKey
	if err := s.db.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).Order("id DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the API keys: %w", err)
	}
	return out, nil
}

// RevokeAPIKey ends a key. Doing it twice is the same.
func (s *Service) RevokeAPIKey(ctx context.Context, sc Scope, id, actor string, now time.Time) error {
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		k := new(APIKey)
		err := tx.NewSelect().Model(k).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Scan(ctx)
		if db.IsNoRows(err) {
			return apperr.New(apperr.NotFound, "error.apikey.not_found")
		}
		if err != nil {
			return fmt.Errorf("cannot load the API key: %w", err)
		}
		if k.RevokedAt != nil {
			return nil
		}
		_, err = tx.NewUpdate().Model((*APIKey)(nil)).Set("revoked_at = ?", now).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot revoke the API key: %w", err)
		}
		return Audit(ctx, tx, sc, actor, "api_key.revoke", "api_key", id, now)
	})
}

// Authenticate finds the tenant of a secret; an unknown or revoked one is
// Unauthenticated.
func (s *Service) Authenticate(ctx context.Context, secret string, now time.Time) (Scope, *APIKey, error) {
	refused := apperr.New(apperr.Unauthenticated, "error.apikey.invalid")
	if !strings.HasPrefix(secret, keyPrefix) {
		return Scope{}, nil, refused
	}
	k := new(APIKey)
	err := s.db.NewSelect().Model(k).Where("secret_hash = ? AND revoked_at IS NULL", hashSecret(secret)).Scan(ctx)
	if db.IsNoRows(err) {
		return Scope{}, nil, refused
	}
	if err != nil {
		return Scope{}, nil, fmt.Errorf("cannot look up the API key: %w", err)
	}
	sc := ForTenant(k.TenantID)
	if k.LastUsedAt == nil || now.Sub(*k.LastUsedAt) > time.Minute { // not a write per call
		if _, err := s.db.NewUpdate().Model((*APIKey)(nil)).Set("last_used_at = ?", now).ApplyQueryBuilder(sc.Where).Where("id = ?", k.ID).Exec(ctx); err != nil {
			return Scope{}, nil, fmt.Errorf("cannot mark the API key as used: %w", err)
		}
	}
	return sc, k, nil
}
