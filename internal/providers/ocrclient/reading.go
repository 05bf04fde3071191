package ocrclient

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/draw"
	"image/jpeg"
	_ "image/png" // crops may come as PNG
	"strings"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/photos/imaging"
)

// Values are what a service read, by our names of the fields.
type Values map[ocr.FieldName]string

// Set keeps a value unless it is empty or the field has one already.
func (v Values) Set(name ocr.FieldName, value string) {
	if value = strings.TrimSpace(value); value != "" && v[name] == "" {
		v[name] = value
	}
}

// SetTerm keeps both ends of a period such as 2015.02.03-2035.02.03 or 2018年03月21日至长期.
func (v Values) SetTerm(period string) {
	from, until := ocr.SplitTerm(period)
	v.Set(ocr.ValidFrom, from)
	v.Set(ocr.ValidUntil, until)
}

// IDCardSide tells the side of a resident identity card from what was read on it.
func (v Values) IDCardSide() ocr.DocType {
	for _, name := range ocr.FrontFields {
		if v[name] != "" {
			return ocr.IDCardFront
		}
	}
	for _, name := range ocr.BackFields {
		if v[name] != "" {
			return ocr.IDCardBack
		}
	}
	return ocr.Unknown
}

// Fields makes checked fields of the values that documents of the type have. The service gives no confidences.
func (v Values) Fields(t ocr.DocType, now time.Time) ocr.Fields {
	fields := ocr.Fields{}
	if !t.Known() {
		return fields
	}
	for _, name := range t.Fields() {
		if value := ocr.Normalize(name, v[name]); value != "" {
			fields[name] = ocr.Field{Value: value}
		}
	}
	return ocr.CheckDocument(t, fields, now)
}

// Crops are the largest sides of crops, px: small pictures for a person to compare with.
const (
	cropSide  = 640
	wholeSide = 1200
)

// Crop makes a small JPEG of a picture in base64, with or without the prefix of a data URL; nil if it is none. What a
// service cuts out is an extra: the reading does not depend on it.
func Crop(ctx context.Context, name ocr.FieldName, encoded string) []byte {
	if _, data, ok := strings.Cut(encoded, ";base64,"); ok {
		encoded = data
	}
	encoded = strings.NewReplacer("\r", "", "\n", "", " ", "+").Replace(encoded) // a '+' sent through a form comes back as a space
	file, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil || len(file) == 0 {
		return nil
	}
	side := cropSide
	if name == ocr.WholeCard {
		side = wholeSide
	}
	var crop []byte
	err = decoding.Do(ctx, func() (err error) {
		crop, err = reencode(file, side)
		return err
	})
	if err != nil {
		return nil
	}
	return crop
}

// reencode makes a JPEG of a JPEG or PNG of any size, such as a single line of text, which package imaging would refuse
// to take for a photo.
func reencode(file []byte, side int) ([]byte, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > ocr.MaxPixels/config.Height {
		return nil, ocr.ErrUnreadable
	}
	img, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	canvas := image.NewRGBA(image.Rect(0, 0, config.Width, config.Height))
	draw.Draw(canvas, canvas.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(canvas, canvas.Rect, img, img.Bounds().Min, draw.Over)
	var out bytes.Buffer
	err = jpeg.Encode(&out, imaging.Within(canvas, side), &jpeg.Options{Quality: 82})
	return out.Bytes(), err
}
