package pyi

import (
	"crypto/md5" //nolint:gosec // the document's signature
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/providers/ocrclient"
)

const (
	contentType = "application/x-www-form-urlencoded;charset=utf-8"
	maxURL      = 1024 // bytes
)

// limits: 4 MB (of 2^20) after base64 and urlencode, 15 to 4096 px; jpg, png and bmp.
var limits = ocrclient.Limits{
	MinSide: 15, MaxSide: 4096, GoodSide: 2048, MaxSize: 4 << 20, Size: encodedSize, Formats: []imaging.Format{imaging.JPEG, imaging.PNG},
}

func encode(file []byte) string { return base64.StdEncoding.EncodeToString(file) }

// encodedSize counts what base64 and urlencode make of a file: '+', '/' and '=' become three bytes.
func encodedSize(file []byte) int {
	encoded := encode(file)
	return len(encoded) + 2*(strings.Count(encoded, "+")+strings.Count(encoded, "/")+strings.Count(encoded, "="))
}

// parameters of a call.
type parameters struct {
	appID    string
	document ocr.DocType
	time     time.Time // zero: left out
	source   string    // an address or base64
}

func (p parameters) values() map[string]string {
	values := map[string]string{"appid": p.appID, "format": "json", "id_card_side": side(p.document), "url_image": p.source}
	if !p.time.IsZero() {
		values["time"] = strconv.FormatInt(p.time.Unix(), 10)
	}
	maps.DeleteFunc(values, func(_, value string) bool { return value == "" }) // the sign leaves them out as well
	return values
}

// form is the signed request body.
func (p parameters) form(secret string) string {
	form := url.Values{}
	values := p.values()
	for name, value := range values {
		form.Set(name, value)
	}
	form.Set("sign", sign(values, secret))
	return form.Encode()
}

// sign is the MD5, in lower-case hex, of names and raw values in the order of the names, empty values left out, and the
// secret without a name.
func sign(values map[string]string, secret string) string {
	hash := md5.New() //nolint:gosec // the document's signature
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] != "" {
			hash.Write([]byte(name + values[name]))
		}
	}
	hash.Write([]byte(secret))
	return hex.EncodeToString(hash.Sum(nil))
}
