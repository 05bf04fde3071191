package providers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"huizhi/internal/i18n"
	"huizhi/internal/providers"
)

func TestStatusesFollowEachOther(t *testing.T) {
	t.Parallel()
	order := []providers.Status{
		"invented", providers.StatusPending, providers.StatusProcessing, providers.StatusSubmitted, providers.StatusCompleted,
	}
	for i, s := range order {
		if s.Rank() != i {
			t.Errorf("%s has rank %d, want %d", s, s.Rank(), i)
		}
		if s.Known() != (i > 0) || s.Final() != (i == 4) {
			t.Errorf("%s: known %v, final %v", s, s.Known(), s.Final())
		}
	}
	if providers.StatusFailed.Rank() != providers.StatusCompleted.Rank() || !providers.StatusFailed.Final() {
		t.Error("failed must be as final as completed")
	}
}

func TestTypeOffersTheCitiesOfItsGuide(t *testing.T) {
	t.Parallel()
	listed := providers.Type{
		RequiredFields: []string{"city"},
		Guide: map[string]providers.FieldGuide{"city": {Cities: []providers.Province{
			{Name: "广东省", Cities: []string{"深圳市", "广州市"}}, {Name: "青海省", Cities: []string{"青海市"}},
		}}},
	}
	for city, want := range map[string]bool{
		"广东省,深圳市": true, "青海省,青海市": true, "青海省,深圳市": false, "广东省，深圳市": false, "深圳市": false, "": false, ",": false,
	} {
		if got := listed.Offers(city); got != want {
			t.Errorf("Offers(%q) = %v", city, got)
		}
	}
	for _, city := range listed.Cities() {
		if !listed.Offers(city) {
			t.Errorf("%s is listed but not offered", city)
		}
	}
	unlisted := providers.Type{}
	if !unlisted.Offers("湖南省,长沙市") || unlisted.Offers("长沙市") {
		t.Error("a type without a list must offer every well-formed city, and nothing else")
	}
	if !listed.Requires("city") || listed.Requires("customer_id_card") {
		t.Error("Requires does not follow RequiredFields")
	}
}

func TestOutcomeOfErrorsThatAreNotTheProvidersIsUnknown(t *testing.T) {
	t.Parallel()
	refused := &providers.Error{Op: "submit", Code: 1007, Outcome: providers.OutcomeRefused}
	for _, c := range []struct {
		err  error
		want providers.Outcome
	}{
		{nil, ""},
		{refused, providers.OutcomeRefused},
		{fmt.Errorf("attempt 3: %w", refused), providers.OutcomeRefused},
		{context.Canceled, providers.OutcomeUnknown},
		{errors.New("boom"), providers.OutcomeUnknown},
	} {
		if got := providers.OutcomeOf(c.err); got != c.want {
			t.Errorf("OutcomeOf(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestErrorTextLeavesTheProvidersMessageOut(t *testing.T) {
	t.Parallel()
	err := &providers.Error{
		Op: "submit", Code: 1007, HTTPStatus: 200, Outcome: providers.OutcomeRefused, Message: "身份证号 362532199404064129 不正确",
	}
	if got, want := err.Error(), "provider submit: outcome refused, code 1007, HTTP 200"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEveryErrorHasASentenceInBothLanguages(t *testing.T) {
	t.Parallel()
	var all []*providers.Error
	for code := 1000; code <= 2010; code++ {
		all = append(all, &providers.Error{Code: code, Outcome: providers.OutcomeUnknown})
	}
	for _, o := range []providers.Outcome{
		providers.OutcomeRefused, providers.OutcomeAccount, providers.OutcomeThrottled, providers.OutcomeNotSent, providers.OutcomeUnknown,
	} {
		all = append(all, &providers.Error{Outcome: o})
	}
	for _, lang := range i18n.Languages() {
		ctx := i18n.WithLang(t.Context(), lang)
		for _, e := range all {
			if got := i18n.T(ctx, e.Key()); got == "" || strings.Contains(got, e.Key()) {
				t.Errorf("%s: no text for %s", lang, e.Key())
			}
		}
	}
}

func TestParseCallback(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct {
		no     string
		status providers.Status
	}{
		`{"application_no":"RA1","status":"completed","result_url":"http://evil.example/"}`: {"RA1", providers.StatusCompleted},
		`{"application_no":20231201143059001,"status":"FAILED","extra":[1]}`:                {"20231201143059001", providers.StatusFailed},
		`{"application_no":" RA2 ","status":null}`:                                          {"RA2", ""},
		`{"application_no":"RA3"}`:                                                          {"RA3", ""},
	} {
		no, status, err := providers.ParseCallback([]byte(body))
		if err != nil || no != want.no || status != want.status {
			t.Errorf("%s: got %q, %q, %v", body, no, status, err)
		}
	}
	for _, body := range []string{``, `[]`, `null`, `{}`, `{"application_no":null}`, `{"application_no":{}}`, `{"application_no":""}`, `<html>`} {
		if no, _, err := providers.ParseCallback([]byte(body)); err == nil {
			t.Errorf("%q: accepted as %q", body, no)
		}
	}
}

func FuzzParseCallback(f *testing.F) {
	f.Add([]byte(`{"application_no":"RA1","status":"completed"}`))
	f.Add([]byte(`{"application_no":1e3,"status":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		no, _, err := providers.ParseCallback(body)
		if (err == nil) != (no != "") {
			t.Errorf("number %q with error %v", no, err)
		}
	})
}
