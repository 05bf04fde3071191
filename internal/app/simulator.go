package app

import (
	"context"
	"errors"
	"slices"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/simulator/cards"
)

// RecogniseWith lets the simulated OCR providers see what an engine of our own
// reads: the two sides of an ID card. On anything else they see no card.
func RecogniseWith(engine ocr.Reader) cards.Reader {
	return func(ctx context.Context, image []byte, _ cards.Kind) (cards.Card, error) {
		reading, err := engine.Read(ctx, ocr.Request{Image: image})
		if errors.Is(err, ocr.ErrUnreadable) {
			return cards.Card{}, nil
		}
		if err != nil {
			return cards.Card{}, err
		}
		card := cards.Card{Fields: make(map[string]string), Rotation: (360 - reading.Rotation) % 360}
		switch reading.Type {
		case ocr.IDCardFront:
			card.Kind = cards.IDFront
		case ocr.IDCardBack:
			card.Kind = cards.IDBack
		default:
			return cards.Card{}, nil
		}
		for name, field := range reading.Fields {
			card.Fields[string(name)] = field.Value
		}
		for condition, quality := range qualities {
			if slices.Contains(reading.Conditions, condition) {
				card.Quality = quality
			}
		}
		return card, nil
	}
}

// qualities are the providers' words for what an engine notices.
var qualities = map[ocr.Condition]string{
	ocr.Blurred: "blurred", ocr.Overexposed: "over_exposure", ocr.Underexposed: "over_dark",
}
