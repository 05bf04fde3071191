package app

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"time"

	"huizhi/internal/config"
	"huizhi/internal/tenants"
)

// erasedAtOnce bounds a step of EraseOldScans.
const erasedAtOnce = 100

// EraseOldScans erases the pictures of ID documents that are kept longer than the
// settings want, with what was read from them. The orders stay with their fields.
func (a *App) EraseOldScans(ctx context.Context, now time.Time) error {
	if a.Config.KeepScans <= 0 {
		return nil
	}
	sweep := tenants.AllTenants("pictures whose time is up, whosever they are")
	for {
		pics, err := a.Orders.ExpiredScans(ctx, sweep, now.Add(-a.Config.KeepScans), erasedAtOnce)
		if err != nil {
			return err
		}
		for _, pic := range pics {
			if err := a.Photos.Erase(ctx, tenants.ForTenant(pic.TenantID), pic.ID); err != nil {
				return err
			}
		}
		if len(pics) < erasedAtOnce {
			return nil
		}
	}
}

// rawSeal is what raw OCR answers are encrypted with: AES-256-GCM under a key
// derived from the secret key, which itself signs cookies and nothing else.
func rawSeal(c *config.Config) (cipher.AEAD, error) {
	secret, err := c.Key()
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "huizhi raw OCR answers", 32)
	if err != nil {
		return nil, fmt.Errorf("cannot derive a key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("cannot use the derived key: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
