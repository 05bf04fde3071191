// Package personcard is what stands in the QR code of a person's card, which is
// photographed before the person: an opaque id and nothing that tells anybody who
// it is.
package personcard

import (
	"encoding/base32"
	"strings"

	"github.com/google/uuid"
)

// prefix tells our codes from others that get into a picture: a poster, a wristband.
const prefix = "HZP1"

// encoding has capitals and digits only, which a QR code packs densest.
var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Text is the content of a person's code: 30 capitals and digits. It is "" for an
// id that is no UUID.
func Text(personID string) string {
	id, err := uuid.Parse(personID)
	if err != nil {
		return ""
	}
	return prefix + encoding.EncodeToString(id[:])
}

// Person reads the content of a code; ok is false for one that is not ours.
func Person(text string) (personID string, ok bool) {
	body, ours := strings.CutPrefix(text, prefix)
	if !ours {
		return "", false
	}
	raw, err := encoding.DecodeString(body)
	if err != nil {
		return "", false
	}
	id, err := uuid.FromBytes(raw)
	if err != nil || encoding.EncodeToString(id[:]) != body {
		return "", false
	}
	return id.String(), true
}
