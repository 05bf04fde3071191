package app

import (
	"huizhi/internal/ocr/routing"
	"huizhi/internal/providers/juhe"
	"huizhi/internal/providers/pyi"
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
	return routing.New(routing.Config{
		DB: a.DB, Blobs: a.Blobs, Engines: engines, DailyCapFen: c.OCRDailyCapFen, RawKeep: c.OCRRawKeep, Log: a.Log,
	}), nil
}
