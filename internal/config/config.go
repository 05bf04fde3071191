// Package config reads the settings, once, from the environment. Nothing else in
// the program looks at it.
package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Config is every setting. The tag `env` names the variable (NAME_FILE reads the
// value from a file), `envDefault` the default, `help` the meaning. A field
// tagged `secret` is never printed.
type Config struct {
	Addr        string `env:"HUIZHI_ADDR" envDefault:"127.0.0.1:8080" help:"Address to listen on."`
	BaseURL     string `env:"HUIZHI_BASE_URL" help:"Address under which people and the provider reach this server, e.g. https://huizhi.example.com. Default: http:// and the address listened on."`
	DataDir     string `env:"HUIZHI_DATA_DIR" envDefault:"./data" help:"Folder for everything that is kept when no other place is set."`
	DatabaseURL string `env:"HUIZHI_DATABASE_URL" secret:"true" help:"postgres://… or sqlite:PATH. Default: an SQLite file in the data folder."`
	BlobURL     string `env:"HUIZHI_BLOB_URL" help:"Where pictures and receipts are kept: file:///folder or s3://bucket?region=…. Default: a folder in the data folder."`
	SecretKey   string `env:"HUIZHI_SECRET_KEY" secret:"true" help:"32 bytes in base64 that sign the session cookies and encrypt the raw answers of OCR providers. Made and kept in the data folder when absent."`
	AutoMigrate bool   `env:"HUIZHI_AUTO_MIGRATE" envDefault:"true" help:"Bring the schema up to date at start. false: refuse to start while migrations are pending."`
	LogFormat   string `env:"HUIZHI_LOG_FORMAT" envDefault:"text" help:"text or json."`
	Workers     bool   `env:"HUIZHI_WORKERS" envDefault:"true" help:"Run the background work in this process too. With PostgreSQL, several processes may."`

	ClipImgURL    string `env:"HUIZHI_CLIPIMG_URL" envDefault:"https://www.clipimg.com/app/receipt_api.php" help:"Base URL of the receipt provider."`
	ClipImgAPIKey string `env:"HUIZHI_CLIPIMG_APIKEY" secret:"true" help:"Key of the receipt provider. Without it the built-in simulator serves, and every page says so."`

	ClipImgRate        float64 `env:"HUIZHI_CLIPIMG_RATE" envDefault:"50" help:"Calls to the receipt provider that may begin per second, over all processes. 0: no limit."`
	ClipImgConcurrency int     `env:"HUIZHI_CLIPIMG_CONCURRENCY" envDefault:"8" help:"Calls to the receipt provider under way at once; submits over all processes, others in each."`
	ClipImgNoReference bool    `env:"HUIZHI_CLIPIMG_NO_REFERENCE" envDefault:"false" help:"Send no reference of ours in custom_fields, for a provider that refuses or drops fields it does not know. Then a person decides what is done when an answer is lost."`
	BalanceWarnDays    float64 `env:"HUIZHI_BALANCE_WARN_DAYS" envDefault:"7" help:"Warn when the points of the provider's account will not last so many days."`

	JuheURL     string `env:"HUIZHI_JUHE_URL" help:"OCR provider juhe: base URL."`
	JuheKey     string `env:"HUIZHI_JUHE_KEY" secret:"true" help:"OCR provider juhe: key."`
	PyiURL      string `env:"HUIZHI_PYI_URL" help:"OCR provider pyi: base URL."`
	PyiAppID    string `env:"HUIZHI_PYI_APPID" help:"OCR provider pyi: appid."`
	PyiSecret   string `env:"HUIZHI_PYI_SECRET" secret:"true" help:"OCR provider pyi: secret that signs the calls."`
	XinhuoURL   string `env:"HUIZHI_XINHUO_URL" help:"OCR provider xinhuo: base URL."`
	XinhuoToken string `env:"HUIZHI_XINHUO_TOKEN" secret:"true" help:"OCR provider xinhuo: token."`

	PyiPriceFen    int64         `env:"HUIZHI_PYI_PRICE_FEN" envDefault:"20" help:"What a charged call of pyi costs, in fen."`
	JuhePriceFen   int64         `env:"HUIZHI_JUHE_PRICE_FEN" envDefault:"20" help:"What a charged call of juhe costs, in fen."`
	XinhuoPriceFen int64         `env:"HUIZHI_XINHUO_PRICE_FEN" envDefault:"20" help:"What a charged call of xinhuo costs, in fen."`
	OCRDailyCapFen int64         `env:"HUIZHI_OCR_DAILY_CAP_FEN" envDefault:"5000" help:"The most that one tenant can spend on OCR providers in a day of Shanghai, in fen. A tenant can set itself less."`
	OCRRawKeep     time.Duration `env:"HUIZHI_OCR_RAW_KEEP" envDefault:"168h" help:"How long the raw answers of OCR providers are kept for disputes, encrypted. 0s: not at all."`
	KeepScans      time.Duration `env:"HUIZHI_KEEP_SCANS" envDefault:"0s" help:"How long pictures of ID documents are kept after their order has ended, with all that was read from them, e.g. 4320h. The order's own fields stay. 0s: for ever."`

	StripeURL     string `env:"HUIZHI_STRIPE_URL" help:"Address of the Stripe API; for tests."`
	StripeKey     string `env:"HUIZHI_STRIPE_KEY" secret:"true" help:"Stripe secret key. Without it invoices are paid by bank transfer only."`
	StripeWebhook string `env:"HUIZHI_STRIPE_WEBHOOK_SECRET" secret:"true" help:"What Stripe signs its webhooks with: those of an endpoint at /webhooks/stripe for the events invoice.*. Without it payments are noticed within a day."`

	OCRDir string `env:"HUIZHI_OCR_DIR" help:"Folder of the local OCR engine (library and models), as 'make ocr' makes it. Default: build/ocr/assets, else ocr in the data folder."`

	PollSchedule     []time.Duration `env:"HUIZHI_POLL_SCHEDULE" envDefault:"1m,2m,3m,5m,10m" help:"When to ask the provider about an application: after the first duration, then after the second, ... the last one repeats."`
	PollSlowAfter    time.Duration   `env:"HUIZHI_POLL_SLOW_AFTER" envDefault:"30m" help:"An application older than this is asked about at the slow pace."`
	PollSlow         time.Duration   `env:"HUIZHI_POLL_SLOW" envDefault:"20m" help:"The slow pace."`
	PollJitter       float64         `env:"HUIZHI_POLL_JITTER" envDefault:"0.1" help:"Up to this share is added to each wait at random."`
	PhotoFor         time.Duration   `env:"HUIZHI_PHOTO_URL_LIFETIME" envDefault:"72h" help:"How long the provider can fetch a photo after the submission at the longest. Its address dies with the submission in any case."`
	ReconcileQuiet   time.Duration   `env:"HUIZHI_RECONCILE_QUIET" envDefault:"1m" help:"How long a submission whose answer was lost rests before it is looked for in the provider's list."`
	ReconcileEvery   time.Duration   `env:"HUIZHI_RECONCILE_EVERY" envDefault:"1m" help:"How often it is looked for. Two complete searches without it prove that it does not exist."`
	SubmitTimeout    time.Duration   `env:"HUIZHI_SUBMIT_TIMEOUT" envDefault:"30s" help:"How long one call to the provider may take before its outcome is taken as unknown."`
	JobRescue        time.Duration   `env:"HUIZHI_JOB_RESCUE" envDefault:"3m" help:"With PostgreSQL: after this time a job whose process died is taken up by another. Must exceed the longest job, 2 minutes, except in tests."`
	APIRate          int             `env:"HUIZHI_API_RATE" envDefault:"1000" help:"Calls per second that one API key may make; five times as many at once. More get HTTP 429."`
	APIPhotoWaits    []time.Duration `env:"HUIZHI_API_PHOTO_WAITS" envDefault:"2s,10s,30s" help:"Waits between the tries of fetching a photo that an API client named."`
	APICallbackWaits []time.Duration `env:"HUIZHI_API_CALLBACK_WAITS" envDefault:"1s,2s,4s" help:"Waits between the tries of a callback to an API client."`
	AllowPrivateURLs bool            `env:"HUIZHI_ALLOW_PRIVATE_URLS" envDefault:"false" help:"Let photo, callback and result addresses be private or loopback; for tests."`
	Demo             bool            `env:"HUIZHI_DEMO" envDefault:"false" help:"Fill an empty database with a demo tenant and show its sign-in. Never in production."`
	SimulatorPace    time.Duration   `env:"HUIZHI_SIMULATOR_PACE" envDefault:"8s" help:"How long the built-in simulator takes for one receipt."`
}

// Load reads, fills in the defaults that depend on other settings, and checks
// everything; the error names all faults at once.
func Load() (*Config, error) { return load(env.ToMap(os.Environ())) }

func load(vars map[string]string) (*Config, error) {
	c := new(Config)
	var faults []error
	for _, s := range c.Settings() {
		path, ok := vars[s.Name+"_FILE"]
		if !ok || path == "" {
			continue
		}
		if vars[s.Name] != "" {
			faults = append(faults, fmt.Errorf("%s and %s_FILE are both set", s.Name, s.Name))
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s_FILE: %w", s.Name, err))
			continue
		}
		vars[s.Name] = strings.TrimRight(string(text), "\r\n")
	}
	if err := env.ParseWithOptions(c, env.Options{Environment: vars}); err != nil {
		var all env.AggregateError
		if errors.As(err, &all) {
			for _, err := range all.Errors {
				faults = append(faults, named(err))
			}
		} else {
			faults = append(faults, err)
		}
	}
	c.fill()
	faults = append(faults, c.check()...)
	return c, errors.Join(faults...)
}

// named gives a value that cannot be read the name of its variable instead of its field's.
func named(err error) error {
	var parse env.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	field, _ := reflect.TypeFor[Config]().FieldByName(parse.Name)
	return fmt.Errorf("%s: %w", field.Tag.Get("env"), parse.Err)
}

func (c *Config) fill() {
	if c.DatabaseURL == "" {
		c.DatabaseURL = "sqlite:" + filepath.Join(c.DataDir, "huizhi.db")
	}
	if c.BlobURL == "" {
		if dir, err := filepath.Abs(filepath.Join(c.DataDir, "blobs")); err == nil {
			c.BlobURL = "file://" + filepath.ToSlash(dir)
		}
	}
	if c.OCRDir == "" {
		c.OCRDir = filepath.Join(c.DataDir, "ocr")
		if _, err := os.Stat("build/ocr/assets"); err == nil {
			c.OCRDir = "build/ocr/assets"
		}
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
}

func (c *Config) check() []error {
	var faults []error
	bad := func(name, format string, args ...any) {
		faults = append(faults, fmt.Errorf(name+": "+format, args...))
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		bad("HUIZHI_ADDR", "must be host:port: %v", err)
	}
	for name, value := range map[string]string{
		"HUIZHI_BASE_URL": c.BaseURL, "HUIZHI_CLIPIMG_URL": c.ClipImgURL, "HUIZHI_JUHE_URL": c.JuheURL,
		"HUIZHI_PYI_URL": c.PyiURL, "HUIZHI_XINHUO_URL": c.XinhuoURL, "HUIZHI_STRIPE_URL": c.StripeURL,
	} {
		if value == "" {
			continue
		}
		if u, err := url.Parse(value); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			bad(name, "must be an http or https address")
		}
	}
	if c.DatabaseURL != "" && !strings.HasPrefix(c.DatabaseURL, "sqlite:") && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		bad("HUIZHI_DATABASE_URL", "must start with postgres:// or sqlite:")
	}
	if c.SecretKey != "" {
		if key, err := base64.StdEncoding.DecodeString(c.SecretKey); err != nil || len(key) != 32 {
			bad("HUIZHI_SECRET_KEY", "must be 32 bytes in base64 (openssl rand -base64 32)")
		}
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		bad("HUIZHI_LOG_FORMAT", "must be text or json")
	}
	if len(c.PollSchedule) == 0 {
		bad("HUIZHI_POLL_SCHEDULE", "needs at least one duration, e.g. 1m,2m,5m")
	}
	for _, d := range c.PollSchedule {
		if d <= 0 {
			bad("HUIZHI_POLL_SCHEDULE", "durations must be positive")
			break
		}
	}
	if c.SubmitTimeout <= 0 || c.JobRescue <= 0 {
		bad("HUIZHI_SUBMIT_TIMEOUT, HUIZHI_JOB_RESCUE", "must be positive")
	}
	if c.ReconcileQuiet <= 0 || c.ReconcileEvery <= 0 {
		bad("HUIZHI_RECONCILE_QUIET, HUIZHI_RECONCILE_EVERY", "must be positive")
	}
	if c.APIRate < 0 {
		bad("HUIZHI_API_RATE", "must not be negative")
	}
	for _, d := range slices.Concat(c.APIPhotoWaits, c.APICallbackWaits) {
		if d <= 0 {
			bad("HUIZHI_API_PHOTO_WAITS, HUIZHI_API_CALLBACK_WAITS", "durations must be positive")
			break
		}
	}
	if c.ClipImgRate < 0 || c.ClipImgConcurrency < 1 {
		bad("HUIZHI_CLIPIMG_RATE, HUIZHI_CLIPIMG_CONCURRENCY", "must not be negative, and at least one call at a time")
	}
	if c.PollSlowAfter <= 0 || c.PollSlow <= 0 || c.PhotoFor <= 0 {
		bad("HUIZHI_POLL_SLOW_AFTER, HUIZHI_POLL_SLOW, HUIZHI_PHOTO_URL_LIFETIME", "must be positive")
	}
	if c.PollJitter < 0 || c.PollJitter > 1 {
		bad("HUIZHI_POLL_JITTER", "must be a share from 0 to 1")
	}
	if c.BalanceWarnDays < 0 {
		bad("HUIZHI_BALANCE_WARN_DAYS", "must not be negative")
	}
	if c.PyiPriceFen < 0 || c.JuhePriceFen < 0 || c.XinhuoPriceFen < 0 || c.OCRDailyCapFen < 0 || c.OCRRawKeep < 0 || c.KeepScans < 0 {
		bad("HUIZHI_*_PRICE_FEN, HUIZHI_OCR_DAILY_CAP_FEN, HUIZHI_OCR_RAW_KEEP, HUIZHI_KEEP_SCANS", "must not be negative")
	}
	if c.SimulatorPace < 0 {
		bad("HUIZHI_SIMULATOR_PACE", "must not be negative")
	}
	if c.ClipImgAPIKey != "" && c.BaseURL == "" {
		bad("HUIZHI_BASE_URL", "is needed with a provider key: the provider fetches the photos from there")
	}
	return faults
}

// Simulated tells that no provider key is set, so the built-in simulator serves.
func (c *Config) Simulated() bool { return c.ClipImgAPIKey == "" }

// Key returns the 32 bytes of the secret key, making and keeping them in the
// data folder when none is set.
func (c *Config) Key() ([]byte, error) {
	if c.SecretKey != "" {
		return base64.StdEncoding.DecodeString(c.SecretKey)
	}
	path := filepath.Join(c.DataDir, "secret.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key := make([]byte, 32)
		rand.Read(key)
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("cannot make the data folder: %w", err)
		}
		if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("cannot keep the secret key: %w", err)
		}
		return key, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the secret key: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold 32 bytes in base64", path)
	}
	return key, nil
}

// Setting describes one variable, for `web config`.
type Setting struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Value   string `json:"value"`
	Secret  bool   `json:"secret"`
	Help    string `json:"help"`
}

// Settings lists every variable with its meaning and present value; secrets
// show only whether they are set.
func (c *Config) Settings() []Setting {
	v := reflect.ValueOf(c).Elem()
	var out []Setting
	for i := range v.NumField() {
		f := v.Type().Field(i)
		s := Setting{Name: f.Tag.Get("env"), Default: f.Tag.Get("envDefault"), Help: f.Tag.Get("help"), Secret: f.Tag.Get("secret") == "true"}
		switch val := v.Field(i).Interface().(type) {
		case []time.Duration:
			parts := make([]string, len(val))
			for j, d := range val {
				parts[j] = d.String()
			}
			s.Value = strings.Join(parts, ",")
		default:
			s.Value = fmt.Sprint(val)
		}
		if s.Secret {
			set := v.Field(i).String() != ""
			s.Value = map[bool]string{true: "(set)", false: ""}[set]
		}
		out = append(out, s)
	}
	return out
}
