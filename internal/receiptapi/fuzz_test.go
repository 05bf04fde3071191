package receiptapi_test

import (
	"testing"
	"unicode/utf8"

	"huizhi/internal/receiptapi"
)

func FuzzRequest(f *testing.F) {
	f.Add("application/json", []byte(`{"apikey":"k","receipt_type_id":5,"custom_fields":{"city":"广东省,深圳市"}}`))
	f.Add("application/json; charset=utf-8", []byte(`{"apikey":{},"custom_fields":[]}`))
	f.Add("text/plain", []byte("apikey=k"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		key, city := receiptapi.ParseBody(contentType, body)
		if !utf8.ValidString(key) || !utf8.ValidString(city) {
			t.Errorf("broken text: %q, %q", key, city)
		}
	})
}
