package fapiao

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Profile is whom fapiaos are made out to (开票资料).
type Profile struct {
	Kind    Kind   `json:"kind"`
	Person  bool   `json:"person"` // 个人: no taxpayer's number
	Title   string `json:"title"`  // 抬头
	TaxID   string `json:"tax_id"` // 纳税人识别号
	Address string `json:"address"`
	Phone   string `json:"phone"`
	Bank    string `json:"bank"`
	Account string `json:"account"`
	Email   string `json:"email"` // where the file is sent
}

type tenantProfile struct {
	bun.BaseModel `bun:"table:fapiao_profiles,alias:profile"`
	TenantID      string  `bun:",pk"`
	Profile       Profile `bun:"type:jsonb"`
	UpdatedBy     string
	UpdatedAt     time.Time
}

// maxText is how long a text may be, in characters: the tax system takes 100.
const maxText = 100

// check trims the profile and says what is wrong with it. On electronic fapiaos a
// company needs its name and number, and address and bank may be empty; a special
// one (专票) goes to companies alone.
func (p *Profile) check() error {
	for _, s := range []*string{&p.Title, &p.Address, &p.Phone, &p.Bank, &p.Account, &p.Email} {
		*s = strings.TrimSpace(*s)
	}
	p.TaxID = cleanTaxID(p.TaxID)
	var bad apperr.Fields
	if p.Title == "" {
		bad.Add("title", "error.fapiao.title")
	}
	if p.Kind != Ordinary && p.Kind != Special || p.Kind == Special && p.Person {
		bad.Add("kind", "error.fapiao.kind")
	}
	if p.Person {
		p.TaxID = ""
	} else if problem := taxIDProblem(p.TaxID); problem != "" {
		bad.Add("tax_id", problem)
	}
	for field, text := range map[string]string{"title": p.Title, "address": p.Address, "bank": p.Bank, "email": p.Email} {
		if utf8.RuneCountInString(text) > maxText {
			bad.Add(field, "error.fapiao.long", "max", maxText)
		}
	}
	if len(p.Phone) > 30 || strings.Trim(p.Phone, "0123456789-+() 转") != "" {
		bad.Add("phone", "error.fapiao.phone")
	}
	if digits := strings.NewReplacer(" ", "", "-", "").Replace(p.Account); len(digits) > 30 || strings.Trim(digits, "0123456789") != "" {
		bad.Add("account", "error.fapiao.account")
	}
	if p.Email != "" && (strings.Count(p.Email, "@") != 1 || strings.HasPrefix(p.Email, "@") || strings.HasSuffix(p.Email, "@")) {
		bad.Add("email", "error.fapiao.email")
	}
	return bad.Err()
}

// Profile is the tenant's; nil when it has none yet.
func (s *Service) Profile(ctx context.Context, sc tenants.Scope) (*Profile, error) {
	row := new(tenantProfile)
	err := s.DB.NewSelect().Model(row).ApplyQueryBuilder(sc.Where).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the fapiao profile: %w", err)
	}
	return &row.Profile, nil
}

// SaveProfile keeps the tenant's profile. What was asked for before keeps its own.
func (s *Service) SaveProfile(ctx context.Context, sc tenants.Scope, p Profile, actor string, now time.Time) error {
	if err := p.check(); err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		row := &tenantProfile{TenantID: sc.TenantID(), Profile: p, UpdatedBy: actor, UpdatedAt: now}
		_, err := tx.NewInsert().Model(row).On("CONFLICT (tenant_id) DO UPDATE").
			Set("profile = EXCLUDED.profile, updated_by = EXCLUDED.updated_by, updated_at = EXCLUDED.updated_at").Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot keep the fapiao profile: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "fapiao.profile", "tenant", sc.TenantID(), now)
	})
}
