package receiptapi

import (
	"context"

	"huizhi/internal/tenants"
)

// Intake does an application's intake job once, as the queue would.
func (s *Service) Intake(ctx context.Context, sc tenants.Scope, applicationNo string) error {
	return s.workIntake(ctx, intakeArgs{sc.TenantID(), s.idOf(ctx, sc, applicationNo)})
}

// Call does one try of an application's callback.
func (s *Service) Call(ctx context.Context, sc tenants.Scope, applicationNo string) error {
	return s.workCallback(ctx, callbackArgs{sc.TenantID(), s.idOf(ctx, sc, applicationNo)})
}

func (s *Service) idOf(ctx context.Context, sc tenants.Scope, applicationNo string) (id string) {
	err := s.DB.NewSelect().Model((*Application)(nil)).Column("id").ApplyQueryBuilder(sc.Where).Where("application_no = ?", applicationNo).Scan(ctx, &id)
	if err != nil {
		panic(err)
	}
	return id
}

// ParseBody lets a fuzz test see what is read of a call.
func ParseBody(contentType string, body []byte) (key string, city string) {
	r := parseBody(contentType, body)
	var custom fields
	return r.key(), custom.text("city")
}
