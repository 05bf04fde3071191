package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
)

// SessionLife is how long a session lasts without use.
const SessionLife = 14 * 24 * time.Hour

// sessionRow keeps a session on the server. The cookie holds the random id,
// the table its hash: a stolen backup opens no session.
type sessionRow struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`
	IDHash        string `bun:",pk"`
	UserID        string
	Data          []byte
	ExpiresAt     time.Time
}

// SessionStore is a gorilla/sessions Store in the database.
type SessionStore struct {
	db      *db.DB
	codecs  []securecookie.Codec
	options sessions.Options
}

// NewSessionStore makes the store; key is 32 secret bytes that sign the cookie.
// secure marks the cookie for HTTPS only.
func NewSessionStore(d *db.DB, key []byte, secure bool) *SessionStore {
	codecs := securecookie.CodecsFromPairs(key)
	for _, c := range codecs {
		c.(*securecookie.SecureCookie).MaxAge(int(SessionLife.Seconds()))
	}
	return &SessionStore{db: d, codecs: codecs, options: sessions.Options{
		Path: "/", MaxAge: int(SessionLife.Seconds()), HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}}
}

var _ sessions.Store = (*SessionStore)(nil)

// Get returns the request's session, loaded once a request.
func (s *SessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New loads the session of the cookie, or starts an empty one.
func (s *SessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	sess := sessions.NewSession(s, name)
	opts := s.options
	sess.Options = &opts
	sess.IsNew = true
	cookie, err := r.Cookie(name)
	if err != nil {
		return sess, nil
	}
	var id string
	if securecookie.DecodeMulti(name, cookie.Value, &id, s.codecs...) != nil {
		return sess, nil // signed with another key, or meddled with: no session
	}
	row := new(sessionRow)
	err = s.db.NewSelect().Model(row).Where("id_hash = ? AND expires_at > ?", hashKey(id), db.Now()).Scan(r.Context())
	if db.IsNoRows(err) {
		return sess, nil
	}
	if err != nil {
		return sess, fmt.Errorf("cannot load the session: %w", err)
	}
	sess.ID, sess.IsNew = id, false
	return sess, securecookie.GobEncoder{}.Deserialize(row.Data, &sess.Values)
}

// Save writes the session and its cookie; MaxAge < 0 ends it.
func (s *SessionStore) Save(r *http.Request, w http.ResponseWriter, sess *sessions.Session) error {
	if sess.Options.MaxAge < 0 {
		if err := s.delete(r.Context(), sess.ID); err != nil {
			return err
		}
		http.SetCookie(w, sessions.NewCookie(sess.Name(), "", sess.Options))
		return nil
	}
	if sess.ID == "" {
		raw := make([]byte, 32)
		rand.Read(raw)
		sess.ID = base64.RawURLEncoding.EncodeToString(raw)
	}
	data, err := securecookie.GobEncoder{}.Serialize(sess.Values)
	if err != nil {
		return fmt.Errorf("cannot encode the session: %w", err)
	}
	userID, _ := sess.Values["user_id"].(string)
	row := &sessionRow{IDHash: hashKey(sess.ID), UserID: userID, Data: data,
		ExpiresAt: db.Now().Add(time.Duration(sess.Options.MaxAge) * time.Second)}
	_, err = s.db.NewInsert().Model(row).On("CONFLICT (id_hash) DO UPDATE").
		Set("user_id = EXCLUDED.user_id, data = EXCLUDED.data, expires_at = EXCLUDED.expires_at").Exec(r.Context())
	if err != nil {
		return fmt.Errorf("cannot save the session: %w", err)
	}
	value, err := securecookie.EncodeMulti(sess.Name(), sess.ID, s.codecs...)
	if err != nil {
		return fmt.Errorf("cannot sign the session cookie: %w", err)
	}
	http.SetCookie(w, sessions.NewCookie(sess.Name(), value, sess.Options))
	return nil
}

// Rotate gives the session a new id, so that one planted before the sign-in is
// worthless after it.
func (s *SessionStore) Rotate(ctx context.Context, sess *sessions.Session) error {
	old := sess.ID
	sess.ID = ""
	return s.delete(ctx, old)
}

// Sweep deletes the expired sessions.
func (s *SessionStore) Sweep(ctx context.Context, now time.Time) error {
	_, err := s.db.NewDelete().Model((*sessionRow)(nil)).Where("expires_at <= ?", now).Exec(ctx)
	return err
}

func (s *SessionStore) delete(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	if _, err := s.db.NewDelete().Model((*sessionRow)(nil)).Where("id_hash = ?", hashKey(id)).Exec(ctx); err != nil {
		return fmt.Errorf("cannot delete the session: %w", err)
	}
	return nil
}
