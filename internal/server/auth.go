package server

import (
	"net/http"

	"huizhi/internal/apperr"
	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
	"huizhi/web/templates/authview"
)

func (s *Server) authRoutes() []route {
	return []route{
		{"GET /signin", anyone, s.signInPage},
		{"POST /signin", anyone, s.signIn},
		{"GET /signup", anyone, s.signUpPage},
		{"POST /signup", anyone, s.signUp},
		{"POST /signout", anyone, s.signOut},
	}
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) error {
	if identity(r) != nil {
		return redirect(w, r, ownPath(r.FormValue("next")))
	}
	return s.render(w, r, http.StatusOK, authview.SignIn(s.plainChrome(r), s.signInModel(r)))
}

func (s *Server) signInModel(r *http.Request) authview.SignInModel {
	return authview.SignInModel{Next: ownPath(r.FormValue("next")), Email: r.PostFormValue("email"), Demo: s.Demo}
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	id, err := s.Auth.SignIn(r.Context(), r.PostFormValue("email"), r.PostFormValue("password"), clientAddress(r), db.Now())
	switch kind := apperr.KindOf(err); {
	case err == nil:
		return s.enter(w, r, id, ownPath(r.FormValue("next")))
	case kind == apperr.Unauthenticated, kind == apperr.TooMany, kind == apperr.Forbidden:
		m := s.signInModel(r)
		m.Error = s.message(r, err)
		note(r).err = err
		return s.render(w, r, statusOf[kind], authview.SignIn(s.plainChrome(r), m))
	default:
		return err
	}
}

// enter starts a session with a fresh id: one that was planted before the
// sign-in is worthless after it.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, id *auth.Identity, next string) error {
	sess, err := s.Sessions.Get(r, sessionCookie)
	if err != nil {
		return err
	}
	if err := s.Sessions.Rotate(r.Context(), sess); err != nil {
		return err
	}
	sess.Values["user_id"], sess.Values["tenant_id"] = id.User.ID, id.Tenant.ID
	if err := sess.Save(r, w); err != nil {
		return err
	}
	return redirect(w, r, next)
}

func (s *Server) signUpPage(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, authview.SignUp(s.plainChrome(r), authview.SignUpModel{Kind: string(tenants.KindStore), MinPassword: auth.MinPassword}))
}

func (s *Server) signUp(w http.ResponseWriter, r *http.Request) error {
	in := auth.SignUp{
		TenantName: r.PostFormValue("tenant_name"), Kind: tenants.Kind(r.PostFormValue("kind")),
		Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Password: r.PostFormValue("password"),
	}
	id, err := s.Auth.SignUp(r.Context(), in, db.Now())
	if fields, ok := fieldErrors(r, err); ok {
		return s.render(w, r, http.StatusUnprocessableEntity, authview.SignUp(s.plainChrome(r), authview.SignUpModel{
			TenantName: in.TenantName, Kind: string(in.Kind), Name: in.Name, Email: in.Email, MinPassword: auth.MinPassword, Errors: fields}))
	}
	if err != nil {
		return err
	}
	return s.enter(w, r, id, "/")
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	sess, err := s.Sessions.Get(r, sessionCookie)
	if err != nil {
		return err
	}
	sess.Options.MaxAge = -1
	if err := sess.Save(r, w); err != nil {
		return err
	}
	return redirect(w, r, "/signin")
}
