// Package settingsview is the settings of a tenant: what it is, who belongs to it,
// the keys of its programs, and the engines that read its documents.
package settingsview

import (
	"context"
	"net/url"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// TenantModel is the tenant itself.
type TenantModel struct {
	Name      string
	KindKey   string // "tenant.kind.store"
	CreatedAt time.Time
	// ReceiptPoints is what a receipt costs, ReceiptFen what the tenant pays for it.
	ReceiptPoints int64
	ReceiptFen    int64
}

// Member is one of the tenant's people.
type Member struct {
	Name, Email string
	RoleKey     string // "role.owner"
	Since       time.Time
	Self        bool
}

// NewMember is the form of a new one, as it was filled in; the password is not
// given back.
type NewMember struct {
	Name, Email, Role string
	Errors            map[string]string // by field
}

// MembersModel is the page of the members.
type MembersModel struct {
	Members []Member
	Roles   []string // in the order they are offered
	New     NewMember
	Minimum int // characters of a password
	Now     time.Time
}

func (m MembersModel) roleOptions(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, r := range m.Roles {
		options = append(options, ui.Option{Value: r, Label: i18n.T(ctx, "role."+r), Hint: i18n.T(ctx, "settings.role."+r)})
	}
	return options
}

// Key is an API key, of which only the beginning is known.
type Key struct {
	ID, Name, Prefix string
	Test             bool // everything done with it is a rehearsal
	CreatedBy        string
	CreatedAt        time.Time
	LastUsedAt       time.Time // zero: never
	RevokedAt        time.Time // zero: works
}

func (k Key) revokePath() string { return "/settings/keys/" + url.PathEscape(k.ID) + "/revoke" }
func (k Key) dialogID() string   { return "revoke-" + k.ID }
func (k Key) works() bool        { return k.RevokedAt.IsZero() }

// KeysModel is the page of the keys.
type KeysModel struct {
	Keys      []Key
	NewName   string
	NewTest   bool
	NameError string
	Secret    string // of the key that was just made: shown this once
	BaseURL   string // of the receipt API
	DocsPath  string // of its reference
	Now       time.Time
}

// curlExample and phpExample submit a rehearsal; only the key has to be put in.
func (m KeysModel) curlExample() string {
	return `curl -X POST ` + m.BaseURL + `/submit \
  -H "Content-Type: application/json" \
  -d '{"apikey": "hz_…", "receipt_type_id": 1,
       "id_photo_url": "https://example.com/photo.jpg",
       "custom_fields": {"city": "广东省,深圳市"},
       "simulate": true}'`
}

func (m KeysModel) phpExample() string {
	return `$client = new ReceiptApiClient(
    '` + m.BaseURL + `', 'hz_…');
$result = $client->submitApplication([
    'receipt_type_id' => 1,
    'id_photo_url' => 'https://example.com/photo.jpg',
    'custom_fields' => ['city' => '广东省,深圳市'],
    'simulate' => true,
]);`
}

func keyBadge(ctx context.Context, k Key) ui.Badge {
	if k.works() {
		return ui.Badge{Icon: "check", Word: i18n.T(ctx, "settings.key.works")}
	}
	return ui.Badge{Icon: "ban", Word: i18n.T(ctx, "settings.key.revoked")}
}

// Tabs of the settings.
const (
	tabTenant      = "/settings"
	tabMembers     = "/settings/members"
	tabKeys        = "/settings/keys"
	tabRecognition = "/settings/recognition"
)

func tabs(ctx context.Context, current string) []ui.Tab {
	return []ui.Tab{
		{Label: i18n.T(ctx, "settings.tenant"), Href: tabTenant, Current: current == tabTenant},
		{Label: i18n.T(ctx, "settings.members"), Href: tabMembers, Current: current == tabMembers},
		{Label: i18n.T(ctx, "settings.keys"), Href: tabKeys, Current: current == tabKeys},
		{Label: i18n.T(ctx, "ocrroute.title"), Href: tabRecognition, Current: current == tabRecognition},
	}
}
