package collect_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/auth"
	"huizhi/internal/blob"
	"huizhi/internal/collect"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/idnumber"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

var ctx = context.Background()

const desk = "198.51.100.7"

// school is a tenant with a batch that is tied to a roster of two classes, and an
// open collection with three tries.
type school struct {
	t testing.TB
	*collect.Service
	d     *db.DB
	clock time.Time
	user  string
	sc    tenants.Scope
	batch *orders.Batch
	// Of class 1, of class 2, without an ID number, without any number.
	chen, liu, wang, zhao *roster.Person
}

func each(t *testing.T, test func(t *testing.T, s *school)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newSchool(t, d)) })
}

// noReader is no OCR engine: portraits need none.
type noReader struct{ photos.Reader }

func (noReader) Forget(context.Context, tenants.Scope, string, string) error { return nil }

func newSchool(t testing.TB, d *db.DB) *school {
	t.Helper()
	blobs, err := blob.Open(ctx, "file://"+filepath.Join(t.TempDir(), "blobs"))
	require.NoError(t, err)
	t.Cleanup(func() { blobs.Close() })
	s := &school{t: t, d: d, clock: time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)}
	users := auth.NewService(d)
	id, err := users.SignUp(ctx, auth.SignUp{TenantName: "晨光照相馆", Kind: tenants.KindStore, Name: "李敏", Email: db.NewID() + "@example.com", Password: "correct horse"}, s.clock)
	require.NoError(t, err)
	s.sc, s.user = id.Scope(), id.User.ID
	now := func() time.Time { return s.clock }
	service := orders.New(orders.Config{DB: d, Blobs: blobs, Log: slog.New(slog.DiscardHandler), Now: now})
	rosters := roster.New(roster.Config{DB: d, Blobs: blobs, Now: now})
	pics := photos.New(photos.Config{DB: d, Blobs: blobs, OCR: noReader{}, Batches: service, Log: slog.New(slog.DiscardHandler)})
	s.Service = collect.New(collect.Config{DB: d, Key: bytes.Repeat([]byte{7}, 32), Auth: users, Orders: service, Photos: pics, Rosters: rosters, Log: slog.New(slog.DiscardHandler), Now: now})

	r, err := rosters.Create(ctx, s.sc, "莲花小学", s.user)
	require.NoError(t, err)
	s.chen = s.pupil(r, "陈雨桐", "三(1)班", "2016-03-12", "S001")
	s.liu = s.pupil(r, "刘思佳", "三(2)班", "2016-05-02", "S002")
	s.wang = s.pupil(r, "王小明", "三(1)班", "", "S003")
	s.zhao = s.pupil(r, "赵一", "三(1)班", "", "")
	s.batch = &orders.Batch{TenantID: s.sc.TenantID(), ID: db.NewID(), Name: "三年级", TypeID: 4, TypeName: "居住证", City: "广东省,深圳市", RosterID: &r.ID, NextSeq: 1, CreatedBy: s.user, CreatedAt: s.clock}
	_, err = d.NewInsert().Model(s.batch).Exec(ctx)
	require.NoError(t, err)
	require.NoError(t, s.Begin(ctx, s.sc, s.batch.ID, collect.Setup{Organiser: "莲花小学", Contact: "张老师", Tries: 3}, s.clock.Add(collect.DefaultOpen), s.user))
	return s
}

// pupil adds somebody to a roster; born "" leaves the ID number out.
func (s *school) pupil(r *roster.Roster, name, class, born, number string) *roster.Person {
	s.t.Helper()
	p := &roster.Person{TenantID: s.sc.TenantID(), ID: db.NewID(), RosterID: r.ID, Place: "/" + class + "/" + db.NewID(), CreatedAt: s.clock, UpdatedAt: s.clock,
		Values: roster.Values{Name: name, Grade: "", Class: class, StudentNumber: number}}
	if born != "" {
		n, err := s.d.NewSelect().Model((*roster.Person)(nil)).Count(ctx)
		require.NoError(s.t, err)
		day, err := time.Parse(time.DateOnly, born)
		require.NoError(s.t, err)
		first := fmt.Sprintf("440305%s%03d", day.Format("20060102"), 101+n)
		p.IDNumber = first + string(idnumber.CheckDigit(first))
	}
	_, err := s.d.NewInsert().Model(p).Exec(ctx)
	require.NoError(s.t, err)
	return p
}

// visit comes by a link of a reach; class "" is the first one.
func (s *school) visit(reach collect.Reach, class string) *collect.Visit {
	s.t.Helper()
	links, err := s.Links(ctx, s.sc, s.batch.ID)
	require.NoError(s.t, err)
	for i := range links {
		if links[i].Reach == reach && (class == "" || links[i].Class == class) {
			v, err := s.Visit(ctx, s.Token(&links[i]))
			require.NoError(s.t, err)
			return v
		}
	}
	s.t.Fatalf("no link for %s %s", reach, class)
	return nil
}

// ready is a visit by the link of a person's class, after the consent.
func (s *school) ready(p *roster.Person) *collect.Visit {
	s.t.Helper()
	v := s.visit(collect.Class, p.Class)
	require.NoError(s.t, s.Agree(ctx, v, p, collect.Agreement{Agreed: true, Child: true, Guardian: "陈建国", Relation: "father"}))
	return v
}

func (s *school) standing(v *collect.Visit, p *roster.Person) *collect.Standing {
	s.t.Helper()
	st, err := s.Standing(ctx, v, p)
	require.NoError(s.t, err)
	return st
}

func (s *school) audited() []string {
	s.t.Helper()
	var actions []string
	err := s.d.NewSelect().Model((*tenants.AuditEntry)(nil)).Column("action").Where("tenant_id = ?", s.sc.TenantID()).Order("id").Scan(ctx, &actions)
	require.NoError(s.t, err)
	return actions
}

func (s *school) count(table string) int64 {
	s.t.Helper()
	n, err := s.d.NewSelect().Table(table).Where("tenant_id = ?", s.sc.TenantID()).Count(ctx)
	require.NoError(s.t, err)
	return n
}

func last4(p *roster.Person) string { return p.IDNumber[14:] }

// good is a portrait without a fault; another n is another file.
func good(t testing.TB, n int) []byte {
	t.Helper()
	data, err := os.ReadFile("../demo/assets/portraits/04-00.jpg")
	require.NoError(t, err)
	return append(bytes.Clone(data), bytes.Repeat([]byte{0}, n)...) // what follows a JPEG's end is not looked at
}

// faceless is a picture of a wall; another n is another file.
func faceless(t testing.TB, n int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 600, 800))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{120, 140, 90, 255}), image.Point{}, draw.Src)
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, img, nil))
	return append(buf.Bytes(), bytes.Repeat([]byte{0}, n)...)
}

// The sums of the text of ConsentVersion.
const (
	consentZH = "d4baad1c457af1d4"
	consentEN = "4533213769684544"
)

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:8])
}
