// Package providertest is the contract suite of providers.Receipts. Every implementation passes it, against a server
// that behaves like the real one.
package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"huizhi/internal/providers"
)

// Provider is an implementation under test, with an account of its own that holds no applications yet and points
// enough. Applications must become final within seconds.
type Provider struct {
	Receipts providers.Receipts
	// Reach turns the address of a photo on this machine into one that the provider can fetch. Nil means that it can
	// fetch it as it is.
	Reach func(address string) string
}

// Exercise runs the suite. It calls start once per test.
func Exercise(t *testing.T, start func(t *testing.T) Provider) {
	for name, test := range map[string]func(*testing.T, suite){
		"Types name the cities they offer":                           types,
		"An application is followed to its receipt":                  completes,
		"An application with an unusable photo fails":                fails,
		"A simulated application ends as asked":                      simulates,
		"Refused input says so, and creates nothing":                 refuses,
		"An unknown application is reported by its code":             unknownNumber,
		"A batch query answers what it knows, and nothing else":      batch,
		"All pages together list every application once":             pages,
		"A submit that was cancelled before it started was not sent": cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t)
			if p.Reach == nil {
				p.Reach = func(address string) string { return address }
			}
			test(t, suite{Receipts: p.Receipts, photo: p.Reach(ServePhoto(t, 358, 441)), small: p.Reach(ServePhoto(t, 35, 44))})
		})
	}
}

// suite is what each test works with.
type suite struct {
	providers.Receipts
	photo string // a photo that can be used
	small string // one that cannot
}

const city = "广东省,深圳市"

// application is one that must succeed. The reference makes it recognisable.
func (s suite) application(reference string) providers.Application {
	return providers.Application{
		TypeID: 1, PhotoURL: s.photo, CustomFields: map[string]string{"city": city, providers.ReferenceField: reference},
	}
}

func (s suite) submit(t *testing.T, a providers.Application) string {
	t.Helper()
	no, err := s.Submit(t.Context(), a)
	if err != nil || no == "" {
		t.Fatalf("Submit: %q, %v", no, err)
	}
	return no
}

// follow queries an application until done, and checks that its status never goes back.
func (s suite) follow(t *testing.T, no string, done func(providers.Result) bool) providers.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var last providers.Result
	for {
		r, err := s.Query(ctx, no)
		if err != nil {
			t.Fatalf("Query while at %q: %v", last.Status, err)
		}
		if !r.Status.Known() || r.Status.Rank() < last.Status.Rank() {
			t.Fatalf("status went from %q to %q", last.Status, r.Status)
		}
		if done(r) {
			return r
		}
		last = r
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("still %q", last.Status)
		}
	}
}

func final(r providers.Result) bool { return r.Status.Final() }

func types(t *testing.T, s suite) {
	all, err := s.Types(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]bool)
	for _, typ := range all {
		if typ.ID <= 0 || seen[typ.ID] || typ.Name == "" {
			t.Errorf("type %d %q: no id of its own, or no name", typ.ID, typ.Name)
		}
		seen[typ.ID] = true
		for _, field := range typ.RequiredFields {
			if typ.Guide[field].Label == "" {
				t.Errorf("type %d requires %s without a guide", typ.ID, field)
			}
		}
		if !typ.Requires(providers.CityField) || len(typ.Cities()) == 0 {
			t.Errorf("type %d offers no city", typ.ID)
		}
	}
	if !slices.IsSortedFunc(all, func(a, b providers.Type) int { return a.SortOrder - b.SortOrder }) {
		t.Error("the catalogue is not in its order")
	}
}

func completes(t *testing.T, s suite) {
	no := s.submit(t, s.application("ref-1"))
	first, err := s.Query(t.Context(), no)
	if err != nil || first.ApplicationNo != no || first.SubmitTime == "" {
		t.Fatalf("right after the submit: %+v, %v", first, err)
	}
	r := s.follow(t, no, final)
	if r.Status != providers.StatusCompleted {
		t.Fatalf("ended as %q: %s", r.Status, r.Message)
	}
	if r.CustomFields["city"] != city || r.CustomFields[providers.ReferenceField] != "ref-1" {
		t.Errorf("custom fields came back as %v", r.CustomFields)
	}
	if r.TypeName == "" || r.ImageCode == "" || r.CompleteTime == "" {
		t.Errorf("a completed application lacks something: %+v", r)
	}
	for address, want := range map[string]string{r.ResultURL: "application/pdf", r.StandardPhotoURL: "image/jpeg"} {
		if got := download(t, address); http.DetectContentType(got) != want {
			t.Errorf("%d bytes of %s, want %s", len(got), http.DetectContentType(got), want)
		}
	}
}

func download(t *testing.T, address string) []byte {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("download: HTTP %d, %v", res.StatusCode, err)
	}
	return b.Bytes()
}

func fails(t *testing.T, s suite) {
	a := s.application("ref-1")
	a.PhotoURL = s.small
	r := s.follow(t, s.submit(t, a), final)
	if r.Status != providers.StatusFailed || r.Message == "" {
		t.Errorf("ended as %q with message %q", r.Status, r.Message)
	}
	if r.ResultURL != "" || r.StandardPhotoURL != "" || r.ImageCode != "" {
		t.Errorf("a failed application has results: %+v", r)
	}
}

func simulates(t *testing.T, s suite) {
	for _, want := range []providers.Status{
		providers.StatusCompleted, providers.StatusFailed, providers.StatusSubmitted, providers.StatusProcessing, providers.StatusPending,
	} {
		a := s.application("")
		a.PhotoURL = "http://photos.invalid/never-fetched.jpg"
		a.Simulate, a.SimulateResult = true, want
		s.follow(t, s.submit(t, a), func(r providers.Result) bool { return r.Status == want })
	}
	a := s.application("")
	a.Simulate = true
	if r := s.follow(t, s.submit(t, a), final); r.Status != providers.StatusCompleted || r.ResultURL == "" {
		t.Errorf("without a wish: %+v", r)
	}
}

func refuses(t *testing.T, s suite) {
	for name, spoil := range map[string]func(*providers.Application){
		"no type":      func(a *providers.Application) { a.TypeID = 0 },
		"unknown type": func(a *providers.Application) { a.TypeID = 99999 },
		"no photo":     func(a *providers.Application) { a.PhotoURL = "" },
		"no fields":    func(a *providers.Application) { a.CustomFields = nil },
		"no city":      func(a *providers.Application) { delete(a.CustomFields, "city") },
		"ID number":    func(a *providers.Application) { a.CustomFields[providers.IDCardField] = "123" },
	} {
		a := s.application("ref-1")
		spoil(&a)
		no, err := s.Submit(t.Context(), a)
		if e, ok := errors.AsType[*providers.Error](err); !ok || e.Outcome != providers.OutcomeRefused || e.Code == 0 {
			t.Errorf("%s: %q, %v", name, no, err)
		}
	}
	if p, err := s.Applications(t.Context(), 1, 10, ""); err != nil || p.Total != 0 {
		t.Errorf("refused submits left %d applications behind, %v", p.Total, err)
	}
}

func unknownNumber(t *testing.T, s suite) {
	_, err := s.Query(t.Context(), "RA19990101000000001")
	if e, ok := errors.AsType[*providers.Error](err); !ok || e.Code != providers.CodeNotFound {
		t.Errorf("got %v", err)
	}
}

func batch(t *testing.T, s suite) {
	first, second := s.submit(t, s.application("ref-1")), s.submit(t, s.application("ref-2"))
	s.submit(t, s.application("ref-3")) // not asked for
	got, err := s.BatchQuery(t.Context(), []string{second, "RA19990101000000001", first, second})
	if err != nil {
		t.Fatal(err)
	}
	refs := make(map[string]string)
	for _, r := range got {
		refs[r.ApplicationNo] = r.CustomFields[providers.ReferenceField]
	}
	if len(got) != 2 || refs[first] != "ref-1" || refs[second] != "ref-2" {
		t.Errorf("got %v", refs)
	}
	if got, err := s.BatchQuery(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("nothing asked: %v, %v", got, err)
	}
	if _, err := s.BatchQuery(t.Context(), make([]string, providers.MaxBatch+1)); providers.OutcomeOf(err) != providers.OutcomeRefused {
		t.Errorf("too many asked: %v", err)
	}
}

func pages(t *testing.T, s suite) {
	const total, size = 7, 3
	want := make(map[string]string)
	for i := range total {
		ref := fmt.Sprint("ref-", i)
		want[s.submit(t, s.application(ref))] = ref
	}
	got := make(map[string]string)
	for page := 1; ; page++ {
		p, err := s.Applications(t.Context(), page, size, "")
		if err != nil {
			t.Fatal(err)
		}
		if p.Total != total || p.Page != page || p.Size != size || p.TotalPages != 3 {
			t.Errorf("page %d says %d applications, page %d of size %d of %d", page, p.Total, p.Page, p.Size, p.TotalPages)
		}
		for _, r := range p.List {
			if _, twice := got[r.ApplicationNo]; twice {
				t.Errorf("%s is listed twice", r.ApplicationNo)
			}
			got[r.ApplicationNo] = r.CustomFields[providers.ReferenceField]
		}
		if page >= p.TotalPages {
			break
		}
	}
	for no, ref := range want {
		if got[no] != ref {
			t.Errorf("%s is listed with reference %q, want %q", no, got[no], ref)
		}
		s.follow(t, no, final)
	}
	for status, want := range map[providers.Status]int{providers.StatusCompleted: total, providers.StatusFailed: 0} {
		if p, err := s.Applications(t.Context(), 1, 100, status); err != nil || len(p.List) != want {
			t.Errorf("%d of status %s, want %d, %v", len(p.List), status, want, err)
		}
	}
}

func cancelled(t *testing.T, s suite) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Submit(ctx, s.application("ref-1"))
	if providers.OutcomeOf(err) != providers.OutcomeNotSent || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// ServePhoto serves a JPEG of the given size in pixels until the test ends, and returns its address.
func ServePhoto(t *testing.T, width, height int) string {
	t.Helper()
	photo := Photo(width, height)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		w.Write(photo)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/photo.jpg"
}

// Photo draws a JPEG of the given size in pixels.
func Photo(width, height int) []byte {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.SetRGBA(x, y, color.RGBA{uint8(255 * x / width), uint8(255 * y / height), 0xA0, 0xFF})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		panic(err) // writing to memory
	}
	return b.Bytes()
}
