package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

const cookieName = "huizhi"

var sessionKey = []byte("0123456789abcdef0123456789abcdef")

// request is one that a browser with these cookies would send.
func request(cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

func load(t *testing.T, store *auth.SessionStore, cookies ...*http.Cookie) *sessions.Session {
	t.Helper()
	sess, err := store.Get(request(cookies...), cookieName)
	require.NoError(t, err)
	return sess
}

// save saves the session and returns the cookie that the browser gets.
func save(t *testing.T, sess *sessions.Session) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	require.NoError(t, sess.Save(request(), w))
	require.Len(t, w.Result().Cookies(), 1)
	return w.Result().Cookies()[0]
}

func sessionRows(t *testing.T, d *db.DB) int64 {
	t.Helper()
	n, err := d.NewSelect().Table("sessions").Count(context.Background())
	require.NoError(t, err)
	return n
}

func TestASessionIsKeptOnTheServer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store := auth.NewSessionStore(d, sessionKey, true)
		sess := load(t, store)
		assert.True(t, sess.IsNew)
		sess.Values["user_id"] = "u1"
		cookie := save(t, sess)
		assert.True(t, cookie.HttpOnly)
		assert.True(t, cookie.Secure)
		assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)

		back := load(t, store, cookie)
		assert.False(t, back.IsNew)
		assert.Equal(t, "u1", back.Values["user_id"])

		var stored string
		require.NoError(t, d.NewSelect().Table("sessions").Column("id_hash").Scan(context.Background(), &stored))
		assert.NotEqual(t, sess.ID, stored, "a stolen backup opens no session")
	})
}

func TestACookieThatWeDidNotSignStartsAnEmptySession(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	sess := load(t, auth.NewSessionStore(d, []byte("another key, of another machine."), false))
	sess.Values["user_id"] = "u1"
	cookie := save(t, sess)

	store := auth.NewSessionStore(d, sessionKey, false)
	assert.Empty(t, load(t, store, cookie).Values)
	assert.Empty(t, load(t, store, &http.Cookie{Name: cookieName, Value: "%%%"}).Values)
	assert.Empty(t, load(t, store, &http.Cookie{Name: cookieName, Value: sess.ID}).Values)
}

func TestRotationMakesThePlantedSessionWorthless(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store := auth.NewSessionStore(d, sessionKey, false)
		planted := save(t, load(t, store))

		sess := load(t, store, planted)
		require.NoError(t, store.Rotate(context.Background(), sess))
		sess.Values["user_id"] = "u1"
		fresh := save(t, sess)

		assert.Equal(t, "u1", load(t, store, fresh).Values["user_id"])
		assert.True(t, load(t, store, planted).IsNew)
		assert.EqualValues(t, 1, sessionRows(t, d))
	})
}

func TestSigningOutEndsTheSessionOnTheServer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store := auth.NewSessionStore(d, sessionKey, false)
		cookie := save(t, load(t, store))

		sess := load(t, store, cookie)
		sess.Options.MaxAge = -1
		assert.Negative(t, save(t, sess).MaxAge)
		assert.True(t, load(t, store, cookie).IsNew, "the old cookie opens nothing")
	})
}

func TestAnExpiredSessionIsGone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		store := auth.NewSessionStore(d, sessionKey, false)
		cookie := save(t, load(t, store))
		save(t, load(t, store))
		_, err := d.NewUpdate().Table("sessions").Set("expires_at = ?", db.Now().Add(-time.Second)).
			Where("id_hash IN (SELECT MIN(id_hash) FROM sessions)").Exec(context.Background())
		require.NoError(t, err)
		require.NoError(t, store.Sweep(context.Background(), db.Now()))
		assert.EqualValues(t, 1, sessionRows(t, d))

		_, err = d.NewUpdate().Table("sessions").Set("expires_at = ?", db.Now().Add(-time.Second)).Where("1 = 1").Exec(context.Background())
		require.NoError(t, err)
		assert.True(t, load(t, store, cookie).IsNew)
	})
}
