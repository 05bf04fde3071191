// Package cards is what the simulated OCR providers see on a picture: a card that a test has registered for this very
// file, or what an injected reader finds, or nothing.
package cards

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Kind is what a document is.
type Kind string

// The kinds that the documents of two providers know, and the sides of an ID card. The other kinds are named where
// they occur.
const (
	IDFront         Kind = "id_card_front"
	IDBack          Kind = "id_card_back"
	Passport        Kind = "passport"
	BankCard        Kind = "bank_card"
	DrivingLicense  Kind = "driving_license"
	VehicleLicense  Kind = "vehicle_license"
	HouseholdPage   Kind = "household_register"
	BusinessLicense Kind = "business_license"
	HongKongIDCard  Kind = "hongkong_id_card"
	ResidencePermit Kind = "residence_permit"
	SocialSecurity  Kind = "social_security_card"
)

// The fields of an ID card. Dates are YYYY-MM-DD; ValidUntil may be 长期. Other kinds have the fields of the provider
// that is asked, under its own names.
const (
	Name       = "name"
	Sex        = "sex"
	Ethnicity  = "ethnicity" // without 族
	BirthDate  = "birth_date"
	Address    = "address"
	IDNumber   = "id_number"
	Authority  = "authority"
	ValidFrom  = "valid_from"
	ValidUntil = "valid_until"
)

// Card is what a picture shows. The zero value is a picture without a card.
type Card struct {
	Kind   Kind
	Fields map[string]string
	// Quality is "" for a good picture, otherwise blurred, over_exposure, over_dark or unknown: the words of pyi.
	Quality string
	// Rotation is by how many degrees the picture must be turned clockwise to be upright: 0, 90, 180 or 270.
	Rotation int
}

// Side returns the side of the ID card that a caller asks for: the card itself, or the back of a page that shows
// both, which is an IDFront with the fields of the back.
func (c Card) Side(want Kind) Card {
	if want == IDBack && c.Kind == IDFront && c.Fields[Authority]+c.Fields[ValidFrom]+c.Fields[ValidUntil] != "" {
		c.Kind = IDBack
	}
	return c
}

// IsID reports whether it is a side of an ID card.
func (c Card) IsID() bool { return c.Kind == IDFront || c.Kind == IDBack }

// Date returns a date field in another layout of package time, and what is no date as it is.
func (c Card) Date(field, layout string) string {
	t, err := time.Parse(time.DateOnly, c.Fields[field])
	if err != nil {
		return c.Fields[field]
	}
	return t.Format(layout)
}

// Validity returns the term as cards print it, such as 2015.02.03-2035.02.03 or 2015.02.03-长期.
func (c Card) Validity() string {
	if c.Fields[ValidFrom] == "" && c.Fields[ValidUntil] == "" {
		return ""
	}
	return c.Date(ValidFrom, "2006.01.02") + "-" + c.Date(ValidUntil, "2006.01.02")
}

// Agreement says how an ID card's number, birth date and sex fit together, in the numbers of pyi's idcard_number_type:
// -1 no field of the front was read, 0 the number is not legal, 1 all agree, 2 neither birth date nor sex agrees,
// 3 the birth date does not, 4 the sex does not. The check digit is not looked at: the document's sample has a wrong one.
func (c Card) Agreement() int {
	if c.Kind != IDFront || strings.TrimSpace(c.Fields[Name]+c.Fields[Sex]+c.Fields[Ethnicity]+c.Fields[BirthDate]+
		c.Fields[Address]+c.Fields[IDNumber]) == "" {
		return -1
	}
	number := c.Fields[IDNumber]
	if len(number) != 18 {
		return 0
	}
	birth, err := time.Parse("20060102", number[6:14])
	_, digits := strconv.ParseUint(number[:17], 10, 64)
	if err != nil || digits != nil || !strings.ContainsAny(number[17:], "0123456789Xx") {
		return 0
	}
	sameBirth := c.Fields[BirthDate] == birth.Format(time.DateOnly)
	sameSex := c.Fields[Sex] == map[bool]string{true: "男", false: "女"}[number[16]%2 == 1]
	switch {
	case sameBirth && sameSex:
		return 1
	case sameSex:
		return 3
	case sameBirth:
		return 4
	}
	return 2
}

// Reader finds the card on a picture. No card is no error but the zero Card. The kind is what the caller asks for; a
// reader that does not know it may look for whatever it can read.
type Reader func(ctx context.Context, image []byte, kind Kind) (Card, error)

// Desk knows the registered cards and asks the reader about the others. It is safe for concurrent use.
type Desk struct {
	read Reader

	mu    sync.RWMutex
	bySum map[string]Card
}

// NewDesk returns a desk without cards. Without a reader, unregistered pictures show nothing.
func NewDesk(read Reader) *Desk { return &Desk{read: read, bySum: make(map[string]Card)} }

// Register says what the picture with a SHA-256, in lower-case hexadecimal, shows.
func (d *Desk) Register(imageSHA256 string, c Card) {
	c.Fields = maps.Clone(c.Fields)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bySum[imageSHA256] = c
}

// Look returns the card on a picture.
func (d *Desk) Look(ctx context.Context, image []byte, kind Kind) (Card, error) {
	sum := sha256.Sum256(image)
	d.mu.RLock()
	c, ok := d.bySum[hex.EncodeToString(sum[:])]
	d.mu.RUnlock()
	if ok || d.read == nil {
		return c, nil
	}
	return d.read(ctx, image, kind)
}
