package app

import (
	"context"

	"huizhi/internal/billing/exports"
	"huizhi/internal/billing/fapiao"
	"huizhi/internal/billing/statement"
	"huizhi/internal/billing/voucher"
	"huizhi/internal/exportjobs"
	"huizhi/internal/tenants"
)

// openDocuments makes what writes billing's documents.
func (a *App) openDocuments() {
	a.Vouchers = &voucher.Service{DB: a.DB, Billing: a.Billing}
	a.Fapiao = &fapiao.Service{DB: a.DB, Blobs: a.Blobs, Billing: a.Billing}
	a.ExportJobs = exportjobs.New(a.DB, a.Blobs, a.Jobs)
	a.Exports = &exports.Service{DB: a.DB, Exports: a.ExportJobs, Billing: a.Billing, Vouchers: a.Vouchers,
		Statements: &statement.Service{Billing: a.Billing, Tenant: func(ctx context.Context, sc tenants.Scope) (*tenants.Tenant, error) {
			return tenants.Load(ctx, a.DB, sc)
		}}}
	a.ExportJobs.Handle(exports.Kind, a.Exports)
}
