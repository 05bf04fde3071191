package auth

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPasswordHash(t *testing.T) {
	t.Parallel()
	h := HashPassword("密码 with spaces")
	assert.True(t, strings.HasPrefix(h, "$argon2id$v=19$m=19456,t=2,p=1$"), h)
	assert.NotEqual(t, h, HashPassword("密码 with spaces"), "each hash has a salt of its own")
	assert.True(t, checkPassword(h, "密码 with spaces"))
	assert.False(t, checkPassword(h, "密码 with space"))
	assert.False(t, checkPassword(h, ""))
}

func TestAPasswordIsCheckedWithTheParametersOfItsHash(t *testing.T) {
	t.Parallel()
	// From test.c of the reference implementation (github.com/P-H-C/phc-winner-argon2), 256 KiB: hashes stay valid when the cost is raised.
	weaker := "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	assert.True(t, checkPassword(weaker, "password"))
	assert.False(t, checkPassword(weaker, "Password"))
}

func TestADamagedHashLetsNobodyIn(t *testing.T) {
	t.Parallel()
	for _, h := range []string{"", "password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EA",
		"$argon2id$v=19$m=x,t=2,p=1$c29tZXNhbHQ$nf65EA", "$argon2id$v=19$m=256,t=2,p=1$!$nf65EA"} {
		assert.False(t, checkPassword(h, "password"), "%q", h)
		assert.False(t, checkPassword(h, ""), "%q", h)
	}
}
