package app

import (
	"context"

	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/providers/juhe"
	"huizhi/internal/providers/pyi"
	"huizhi/internal/providers/xinhuo"
	"huizhi/internal/tenants"
)

// openRecognition makes the router over the local engine and the OCR providers that have keys.
func (a *App) openRecognition() (*routing.Router, error) {
	c := a.Config
	engines := []routing.Engine{{Reader: a.OCR}}
	add := func(e routing.Engine, err error) error {
		if err == nil {
			a.closers = append(a.closers, e.Close)
			engines = append(engines, e)
		}
		return err
	}
	if c.PyiAppID != "" {
		client, err := pyi.New(pyi.Config{BaseURL: c.PyiURL, AppID: c.PyiAppID, Secret: c.PyiSecret})
		if err := add(routing.Engine{Reader: client, PriceFen: c.PyiPriceFen}, err); err != nil {
			return nil, err
		}
	}
	if c.JuheKey != "" {
		client, err := juhe.New(juhe.Config{BaseURL: c.JuheURL, Key: c.JuheKey})
		if err := add(routing.Engine{Reader: client, PriceFen: c.JuhePriceFen}, err); err != nil {
			return nil, err
		}
	}
	if c.XinhuoToken != "" {
		client, err := xinhuo.New(xinhuo.Config{BaseURL: c.XinhuoURL, Token: c.XinhuoToken})
		if err := add(routing.Engine{Reader: client, PriceFen: c.XinhuoPriceFen}, err); err != nil {
			return nil, err
		}
	}
	seal, err := rawSeal(c)
	if err != nil {
		return nil, err
	}
	return routing.New(routing.Config{
		Seal: seal, DB: a.DB, Blobs: a.Blobs, Engines: engines, DailyCapFen: c.OCRDailyCapFen, RawKeep: c.OCRRawKeep, Costs: ocrCosts{}, Log: a.Log,
	}), nil
}

// ocrCosts lets the router keep the books without knowing billing.
type ocrCosts struct{}

func (ocrCosts) RecordOCRCall(ctx context.Context, tx bun.Tx, sc tenants.Scope, call *routing.Call) error {
	return billing.RecordOCRCall(ctx, tx, sc, billing.NewOCRCall{
		ReadingID: call.ID, Provider: call.Engine, Document: string(call.DocType), Outcome: string(call.Outcome), CostFen: call.CostFen(), At: db.Now(),
	})
}
