package juhe

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"

	"huizhi/internal/ocr"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/providers/ocrclient"
)

const (
	keyOrder = "orderid"
	keyUser  = "userid"
	// advisedSize is the size of file, in bytes, below which the document wants pictures to be.
	advisedSize = 200 << 10
)

// limitsFor gives the document's 3 MB (of 2^20, of the base64 text and so of the file as well) and the sizes it advises:
// 1280*960, for business licences up to 3000*3000. A card fills less of a photo than of a scan, hence a little more. Bank
// cards are taken as JPEG only.
func limitsFor(document ocr.DocType) ocrclient.Limits {
	l := ocrclient.Limits{
		MinSide: 15, MaxSide: 1600, GoodSide: 1600, MaxSize: 3 << 20, Size: base64Size, Formats: []imaging.Format{imaging.JPEG, imaging.PNG},
	}
	switch document {
	case ocr.BusinessLicence:
		l.MaxSide, l.GoodSide = 3000, 3000
	case ocr.BankCard:
		l.Formats = []imaging.Format{imaging.JPEG}
	}
	return l
}

func base64Size(file []byte) int { return base64.StdEncoding.EncodedLen(len(file)) }

// formBody is the form of queryBase64: no data: prefix, no line breaks, '+' escaped.
func formBody(file []byte, fields url.Values) (contentType string, body []byte) {
	form := maps.Clone(fields)
	form.Set("base64", base64.StdEncoding.EncodeToString(file))
	return "application/x-www-form-urlencoded", []byte(form.Encode())
}

// multipartBody is the form of query. Its header table says urlencoded, but no file can be sent that way.
func multipartBody(file []byte, fields url.Values) (contentType string, body []byte, err error) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := form.WriteField(name, fields.Get(name)); err != nil {
			return "", nil, fmt.Errorf("juhe: cannot write the form: %w", err)
		}
	}
	name, format := "card.jpg", imaging.Sniff(file)
	if format == imaging.PNG {
		name = "card.png"
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="pic"; filename="` + name + `"`}, "Content-Type": {format.MIME()},
	})
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return "", nil, fmt.Errorf("juhe: cannot write the form: %w", err)
	}
	return form.FormDataContentType(), b.Bytes(), nil
}
