package receiptapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/providers"
)

// accepted is the data of a successful submit.
type accepted struct {
	ApplicationNo string `json:"application_no"`
	Message       string `json:"message"`
}

// submit answers /submit: after the commit, never before.
func (s *Service) submit(ctx context.Context, c *caller, r *request) answer {
	sub, code, err := s.check(ctx, c, r)
	if err != nil {
		return failed(codeSubmit, err)
	}
	if code != 0 {
		return refuse(code)
	}
	if err := s.accept.add(ctx, sub); err != nil {
		return failed(codeSubmit, err)
	}
	if sub.short {
		return refuse(codeBalance)
	}
	return success(accepted{sub.app.ApplicationNo, "申请提交成功,请等待处理"})
}

// Limits of what is kept of a submit; more is code 2001.
const (
	maxURL    = 4 << 10
	maxFields = 16 << 10
	maxCity   = 200
)

// check goes through the rules in the document's order, and returns what is to be
// accepted, or the code of the first rule that is broken.
func (s *Service) check(ctx context.Context, c *caller, r *request) (*submission, int, error) {
	var custom fields
	fieldsOK := json.Unmarshal(r.body["custom_fields"], &custom) == nil && len(custom) > 0
	typeText := strings.TrimSpace(string(r.body["receipt_type_id"]))
	photo := r.text("id_photo_url")
	switch {
	case r.absent("receipt_type_id"):
		return nil, codeNoType, nil
	case photo == "":
		return nil, codeNoPhoto, nil
	case !fieldsOK:
		return nil, codeNoFields, nil
	}
	typeID, err := strconv.Atoi(typeText)
	if err != nil {
		return nil, codeType, nil
	}
	t, err := s.Orders.Type(ctx, typeID)
	if apperr.KindOf(err) == apperr.Invalid {
		return nil, codeType, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if code := checkFields(t, custom); code != 0 {
		return nil, code, nil
	}
	app := &Application{TypeName: t.Name, PhotoURL: photo, Simulate: c.key.Test}
	result, ok := readOptions(r, app)
	var echoed bytes.Buffer
	if err := json.Compact(&echoed, r.body["custom_fields"]); err != nil {
		return nil, 0, fmt.Errorf("cannot keep the custom fields: %w", err)
	}
	app.CustomFields = echoed.String()
	if !ok || len(photo) > maxURL || len(app.CallbackURL) > maxURL || len(app.CustomFields) > maxFields || !custom.storable() || !storable(photo) || !storable(app.CallbackURL) {
		return nil, codeSubmit, nil
	}
	return &submission{caller: c, app: app, order: s.incoming(c, t, custom, app.Simulate, result)}, 0, nil
}

// checkFields returns the code of the first rule that the custom fields break, or 0.
func checkFields(t providers.Type, custom fields) int {
	for _, name := range t.RequiredFields {
		if custom.text(name) == "" {
			return codeRequired
		}
	}
	if phone := custom.text("customer_phone"); phone != "" && !mobile.MatchString(phone) {
		return codePhone
	}
	if id := custom.text(providers.IDCardField); id != "" && !plausibleID(id) {
		return codeIDCard
	}
	return 0
}

var (
	mobile   = regexp.MustCompile(`^1[3-9]\d{9}$`)
	idNumber = regexp.MustCompile(`^[1-9]\d{16}[\dXx]$`)
)

// plausibleID checks the form of an 18-digit ID number and its birth date. The
// check digit of the document's own sample is wrong, so it does not count.
func plausibleID(id string) bool {
	if !idNumber.MatchString(id) {
		return false
	}
	birth, err := time.ParseInLocation("20060102", id[6:14], china)
	return err == nil && birth.Year() >= 1900 && birth.Before(time.Now())
}

// readOptions reads the optional parameters, and reports whether they make sense.
func readOptions(r *request, a *Application) (result providers.Status, ok bool) {
	if !r.absent("callback_url") {
		a.CallbackURL = r.text("callback_url")
		u, err := url.Parse(a.CallbackURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", false
		}
	}
	simulate := false
	if !r.absent("simulate") && json.Unmarshal(r.body["simulate"], &simulate) != nil {
		return "", false
	}
	if a.Simulate = a.Simulate || simulate; !a.Simulate {
		return "", true // simulate_result means nothing then
	}
	result = providers.StatusCompleted
	if !r.absent("simulate_result") {
		result = providers.Status(r.text("simulate_result"))
	}
	return result, result.Known()
}

// incoming is the order that the application becomes.
func (s *Service) incoming(c *caller, t providers.Type, custom fields, simulate bool, result providers.Status) orders.Incoming {
	in := orders.Incoming{
		Source: c.key.ID, BatchName: "API · " + c.key.Name + " " + s.Now().In(china).Format("01-02"), Actor: c.actor(),
		Type: t, City: custom.text(providers.CityField), Simulate: simulate, SimulateResult: result,
		Fields: map[ocr.FieldName]string{ocr.IDNumber: custom.text(providers.IDCardField)},
		Custom: map[string]string{},
	}
	for _, name := range []string{"customer_name", "name"} { // no document names them, but who sends one means it
		if in.Fields[ocr.Name] == "" {
			in.Fields[ocr.Name] = custom.text(name)
		}
	}
	for name := range custom {
		in.Custom[name] = custom.text(name)
	}
	return in
}

// storable reports whether both databases can keep the text: PostgreSQL knows
// neither U+0000 nor broken UTF-8.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// storable reports whether what an order takes from the fields can be kept.
func (f fields) storable() bool {
	for name := range f {
		if !storable(name) || !storable(f.text(name)) || len(f.text(name)) > 2000 {
			return false
		}
	}
	return len(f.text(providers.CityField)) <= maxCity
}
