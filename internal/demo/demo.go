// Package demo fills an empty database with a tenant of invented people.
package demo

import (
	"context"
	"fmt"

	"huizhi/internal/auth"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// The sign-in of the demo tenant's owner.
const (
	Email    = "demo@huizhi.example"
	Password = "huizhi-demo"
)

// Sample is the folder of invented people for a first upload, as a ZIP.
var Sample []byte

// Deps is what filling needs.
type Deps struct {
	DB    *db.DB
	Blobs *blob.Store
	Auth  *auth.Service
}

// Fill does nothing when there is a tenant already.
func Fill(ctx context.Context, d Deps) error {
	n, err := d.DB.NewSelect().Model((*tenants.Tenant)(nil)).Count(ctx)
	if err != nil {
		return fmt.Errorf("cannot look for tenants: %w", err)
	}
	if n > 0 {
		return nil
	}
	_, err = d.Auth.SignUp(ctx, auth.SignUp{TenantName: "晨光照相馆", Kind: tenants.KindStore, Name: "李敏", Email: Email, Password: Password}, db.Now())
	return err
}
