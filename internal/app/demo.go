package app

import (
	"context"

	"huizhi/internal/db"
	"huizhi/internal/demo"
)

// The sign-in of the demo tenant; the sign-in page shows it in demo mode.
const (
	DemoEmail    = demo.Email
	DemoPassword = demo.Password
)

// sampleZIP is the folder of invented people for a first upload.
var sampleZIP = demo.Sample

// FillDemo fills an empty database with the demo tenant; see [demo.Fill].
func (a *App) FillDemo(ctx context.Context) error {
	return demo.Fill(ctx, demo.Deps{DB: a.DB, Blobs: a.Blobs, Auth: a.Auth, Simulator: a.Simulator}, db.Now())
}
