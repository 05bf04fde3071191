package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Argon2id with the second choice of RFC 9106 scaled to the OWASP password
// storage cheat sheet: 19 MiB, 2 passes, 1 lane; about 70 ms on a server core.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonLanes   = 1
	argonKeyLen  = 32
	argonSaltLen = 16
)

// hashing bounds how many hashes run at once, so that a burst of sign-ins
// cannot take more than a few times 19 MiB.
var hashing = make(chan struct{}, 4)

// HashPassword returns the PHC string `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
func HashPassword(password string) string {
	salt := make([]byte, argonSaltLen)
	rand.Read(salt)
	hashing <- struct{}{}
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKeyLen)
	<-hashing
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes, enc(salt), enc(key))
}

// checkPassword compares in constant time, with the parameters in the string.
func checkPassword(phc, password string) bool {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	var memory, time uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &lanes); err != nil {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) == 0 {
		return false
	}
	hashing <- struct{}{}
	got := argon2.IDKey([]byte(password), salt, time, memory, lanes, uint32(len(want)))
	<-hashing
	return subtle.ConstantTimeCompare(got, want) == 1
}

// decoy is checked when the e-mail is unknown, so that the answer takes as long.
var decoy = HashPassword("decoy")
