package auth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/tenants"
)

var noon = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)

const (
	right = "correct horse"
	wrong = "wrong horse!"
	desk  = "192.0.2.7"
)

func each(t *testing.T, test func(t *testing.T, d *db.DB, s *auth.Service)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, d, auth.NewService(d)) })
}

func signUp(t *testing.T, s *auth.Service, email string) *auth.Identity {
	t.Helper()
	id, err := s.SignUp(context.Background(), auth.SignUp{TenantName: "光明照相馆", Kind: tenants.KindStore, Name: "李敏", Email: email, Password: right}, noon)
	require.NoError(t, err)
	return id
}

func TestSignUpMakesATenantAndItsOwner(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, s *auth.Service) {
		ctx := context.Background()
		made := signUp(t, s, "  Li.Min@Example.com ")
		assert.Equal(t, tenants.RoleOwner, made.Role)
		assert.Equal(t, "li.min@example.com", made.User.Email)

		in, err := s.SignIn(ctx, "LI.MIN@example.com", right, desk, noon)
		require.NoError(t, err)
		assert.Equal(t, made.Tenant.ID, in.Tenant.ID)
		assert.Empty(t, in.Staff)
	})
}

func TestSignUpNamesEveryFaultAndLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, s *auth.Service) {
		ctx := context.Background()
		signUp(t, s, "taken@example.com")
		faults := func(in auth.SignUp) (fields []string) {
			_, err := s.SignUp(ctx, in, noon)
			list, ok := apperr.AsFields(err)
			require.True(t, ok, "%v", err)
			for _, f := range list {
				fields = append(fields, f.Field)
			}
			return fields
		}
		assert.ElementsMatch(t, []string{"name", "email", "password", "tenant_name", "kind"},
			faults(auth.SignUp{TenantName: " ", Kind: "bakery", Name: " ", Email: "李敏", Password: "short"}))
		assert.Equal(t, []string{"password"},
			faults(auth.SignUp{TenantName: "店", Kind: tenants.KindStore, Name: "李", Email: "a@example.com", Password: strings.Repeat("长", 201)}))
		assert.Equal(t, []string{"email"},
			faults(auth.SignUp{TenantName: "店", Kind: tenants.KindStore, Name: "李", Email: "Taken@example.com", Password: right}))

		n, err := d.NewSelect().Table("tenants").Count(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n, "a refused sign-up leaves no tenant without an owner")
	})
}

func TestSignInSaysTheSameOfAWrongPasswordAndAnUnknownEmail(t *testing.T) {
	each(t, func(t *testing.T, _ *db.DB, s *auth.Service) {
		signUp(t, s, "li@example.com")
		_, known := s.SignIn(context.Background(), "li@example.com", wrong, desk, noon)
		_, unknown := s.SignIn(context.Background(), "nobody@example.com", wrong, desk, noon)
		require.Error(t, known)
		assert.Equal(t, known.Error(), unknown.Error())
		assert.Equal(t, apperr.Unauthenticated, apperr.KindOf(unknown))
	})
}

func TestFiveFailuresOfOneEmailMakeItWait(t *testing.T) {
	each(t, func(t *testing.T, _ *db.DB, s *auth.Service) {
		ctx := context.Background()
		signUp(t, s, "li@example.com")
		signUp(t, s, "wang@example.com")
		try := func(password string, at time.Time) apperr.Kind {
			_, err := s.SignIn(ctx, "li@example.com", password, desk, at)
			return apperr.KindOf(err)
		}
		for range 5 {
			require.Equal(t, apperr.Unauthenticated, try(wrong, noon))
		}
		require.Equal(t, apperr.TooMany, try(right, noon), "not even the right password is looked at")
		require.Equal(t, apperr.Unauthenticated, try(wrong, noon.Add(2*time.Second)))
		require.Equal(t, apperr.TooMany, try(right, noon.Add(5*time.Second)), "the wait doubles")

		_, err := s.SignIn(ctx, "wang@example.com", right, desk, noon.Add(5*time.Second))
		require.NoError(t, err, "others at the same desk are not held up")

		_, err = s.SignIn(ctx, "li@example.com", right, desk, noon.Add(6*time.Second))
		require.NoError(t, err)
		require.Equal(t, apperr.Unauthenticated, try(wrong, noon.Add(7*time.Second)), "a success forgets the failures")
		require.Equal(t, apperr.Unauthenticated, try(wrong, noon.Add(7*time.Second)))
	})
}

func TestTheWaitEndsWithinAQuarterOfAnHour(t *testing.T) {
	each(t, func(t *testing.T, _ *db.DB, s *auth.Service) {
		signUp(t, s, "li@example.com")
		at := noon
		for range 20 {
			_, err := s.SignIn(context.Background(), "li@example.com", wrong, desk, at)
			require.Equal(t, apperr.Unauthenticated, apperr.KindOf(err))
			at = at.Add(15 * time.Minute)
		}
		_, err := s.SignIn(context.Background(), "li@example.com", right, desk, at)
		require.NoError(t, err)
	})
}

func TestTwentyFailuresFromOneAddressMakeItWait(t *testing.T) {
	each(t, func(t *testing.T, _ *db.DB, s *auth.Service) {
		ctx := context.Background()
		signUp(t, s, "li@example.com")
		for i := range 20 {
			_, err := s.SignIn(ctx, string(rune('a'+i))+"@example.com", wrong, desk, noon)
			require.Equal(t, apperr.Unauthenticated, apperr.KindOf(err))
		}
		_, err := s.SignIn(ctx, "li@example.com", right, desk, noon)
		require.Equal(t, apperr.TooMany, apperr.KindOf(err))
		_, err = s.SignIn(ctx, "li@example.com", right, "198.51.100.9", noon)
		require.NoError(t, err, "from elsewhere the owner still gets in")
	})
}

func TestWhoLostThePlaceIsNotIdentified(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, s *auth.Service) {
		ctx := context.Background()
		owner := signUp(t, s, "li@example.com")
		u, err := s.CreateMember(ctx, owner.Scope(), "王芳", "wang@example.com", right, tenants.RoleOperator, owner.User.ID, noon)
		require.NoError(t, err)
		id, err := s.Identify(ctx, u.ID, owner.Tenant.ID)
		require.NoError(t, err)
		assert.Equal(t, tenants.RoleOperator, id.Role)

		_, err = d.NewDelete().Table("members").Where("user_id = ?", u.ID).Exec(ctx)
		require.NoError(t, err)
		_, err = s.Identify(ctx, u.ID, owner.Tenant.ID)
		assert.Equal(t, apperr.Unauthenticated, apperr.KindOf(err))
		_, err = s.SignIn(ctx, "wang@example.com", right, desk, noon)
		assert.Equal(t, apperr.Forbidden, apperr.KindOf(err))
	})
}

func TestStaffHaveNoTenant(t *testing.T) {
	each(t, func(t *testing.T, _ *db.DB, s *auth.Service) {
		ctx := context.Background()
		u, err := s.CreateStaff(ctx, "赵静", "zhao@example.com", right, tenants.StaffFinance, noon)
		require.NoError(t, err)
		id, err := s.SignIn(ctx, "zhao@example.com", right, desk, noon)
		require.NoError(t, err)
		assert.Equal(t, u.ID, id.User.ID)
		assert.Equal(t, tenants.StaffFinance, id.Staff)
		assert.Panics(t, func() { id.Scope() })
	})
}
