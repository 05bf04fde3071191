// Package e2e drives the whole program in a real browser.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"huizhi/internal/app"
	"huizhi/internal/config"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr/local"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
)

// ocrWorkerEnv makes the test binary be the OCR engine's child process.
const ocrWorkerEnv = "HUIZHI_E2E_OCR_WORKER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ocrWorkerEnv); dir != "" {
		if err := local.Serve(os.Stdin, os.Stdout, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// site is a running program with everything real, on a database of its own.
type site struct {
	*app.App
	URL string
}

// onBoth runs a journey on SQLite and on PostgreSQL.
func onBoth(t *testing.T, journey func(t *testing.T, databaseURL string)) {
	t.Run("sqlite", func(t *testing.T) { journey(t, dbtest.SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { journey(t, dbtest.PostgresURL(t)) })
}

func startSite(t testing.TB, databaseURL string, change func(*config.Config)) *site {
	t.Helper()
	dir := t.TempDir()
	c := &config.Config{
		Addr: "127.0.0.1:0", DataDir: dir, DatabaseURL: databaseURL, BlobURL: "file://" + filepath.Join(dir, "blobs"),
		AutoMigrate: true, Workers: true, LogFormat: "text", AllowPrivateURLs: true,
		OCRDir: ocrDir(t), PollSchedule: []time.Duration{400 * time.Millisecond, time.Second},
		ReconcileQuiet: time.Second, ReconcileEvery: time.Second, SimulatorPace: 600 * time.Millisecond,
	}
	if change != nil {
		change(c)
	}
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	exe, err := os.Executable()
	require.NoError(t, err)
	dirAbs, err := filepath.Abs(c.OCRDir)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	a, err := app.New(ctx, c, log,
		app.WithOCRCommand("/usr/bin/env", ocrWorkerEnv+"="+dirAbs, exe),
		app.WithSimulator(simulator.Config{CallbackRetries: []time.Duration{50 * time.Millisecond}}),
		app.WithOrders(func(o *orders.Config) { o.GatherFor, o.SweepEvery = 100*time.Millisecond, 300*time.Millisecond }))
	require.NoError(t, err)
	require.NoError(t, a.Listen())
	if c.Demo {
		require.NoError(t, a.FillDemo(ctx))
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the site did not stop well: %v", err)
		}
		a.Close(context.Background())
	})
	return &site{App: a, URL: a.URL()}
}

// profile is a folder for a browser, removed after the test. The browser's helper
// processes write a moment longer than it lives, which t.TempDir would call a
// failure of the test.
func profile(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "huizhi-browser-*")
	require.NoError(t, err)
	t.Cleanup(func() {
		for range 100 {
			if err = os.RemoveAll(dir); err == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Logf("a browser's folder is left behind: %v", err)
	})
	return dir
}

// ocrDir is where scripts/setup puts the engine. Without it the journeys would
// not be the user's, so its absence fails.
func ocrDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "build", "ocr", "assets")
	if _, err := os.Stat(filepath.Join(dir, "SHA256SUMS")); err != nil {
		t.Fatal("the local OCR engine is not installed: run `make test`, or `make ocr`")
	}
	return dir
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	defer func() { _ = recover() }() // a log line after the test's end is of no use
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// browser is one tab of Chromium with a profile of its own.
type browser struct {
	t        *testing.T
	ctx      context.Context
	base     string
	mu       sync.Mutex
	problems []string
}

var chromiumFlags = []string{"disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage",
	"use-fake-device-for-media-stream", "use-fake-ui-for-media-stream"} // a camera that shows a test picture, and is allowed

// open starts Chromium in a language ("zh-CN" or "en") and a window size.
func open(t *testing.T, base, lang string, width, height int) *browser {
	t.Helper()
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	opts = append(opts, chromedp.NoSandbox, chromedp.WindowSize(width, height), chromedp.UserDataDir(profile(t)), chromedp.Flag("lang", lang))
	for _, f := range chromiumFlags {
		opts = append(opts, chromedp.Flag(f, true))
	}
	actx, cancelAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(actx)
	ctx, cancelTimeout := context.WithTimeout(ctx, 4*time.Minute)
	b := &browser{t: t, ctx: ctx, base: base}
	t.Cleanup(func() { cancelTimeout(); cancel(); cancelAlloc() })
	chromedp.ListenTarget(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *cdplog.EventEntryAdded:
			if ev.Entry.Level == cdplog.LevelError && !strings.Contains(ev.Entry.Text, "status of 4") {
				b.problem(ev.Entry.Text + " " + ev.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			b.problem(ev.ExceptionDetails.Error())
		case *page.EventJavascriptDialogOpening:
			go func() { _ = chromedp.Run(ctx, page.HandleJavaScriptDialog(true)) }()
		}
	})
	// The browser lives as long as the context of its first run.
	require.NoError(t, chromedp.Run(ctx))
	mobile := width < 600
	b.do("start", network.Enable(), cdplog.Enable(), runtime.Enable(),
		network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": lang}),
		emulation.SetDeviceMetricsOverride(int64(width), int64(height), 1, mobile))
	return b
}

func (b *browser) problem(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, text)
}

// requireClean fails on script errors and violations of the content security policy.
func (b *browser) requireClean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b.t, b.problems, "the browser's console has errors")
}

// do runs actions; a failure says where it was and keeps a picture of the page.
func (b *browser) do(what string, actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 40*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.failure(what, err)
	}
}

func (b *browser) failure(what string, err error) {
	b.t.Helper()
	var url, text string
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	_ = chromedp.Run(ctx, chromedp.Location(&url), chromedp.Evaluate(`document.body.innerText.slice(0, 1500)`, &text))
	file := filepath.Join(os.TempDir(), "huizhi-e2e-"+strings.NewReplacer("/", "_", " ", "_").Replace(b.t.Name())+".png")
	b.shot(file, false)
	b.t.Fatalf("%s: %v\nat %s, picture %s\nproblems: %v\n%s", what, err, url, file, b.problems, text)
}

func (b *browser) goTo(path string) {
	b.t.Helper()
	b.do("go to "+path, chromedp.Navigate(b.base+path), chromedp.WaitReady("body"))
}

func (b *browser) fill(selector, value string) {
	b.t.Helper()
	b.do("fill "+selector, chromedp.WaitVisible(selector, chromedp.ByQuery), chromedp.Evaluate(`document.querySelector(`+quote(selector)+`).value = ""`, nil), chromedp.SendKeys(selector, value, chromedp.ByQuery))
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.do("click "+selector, chromedp.WaitVisible(selector, chromedp.ByQuery), chromedp.Click(selector, chromedp.ByQuery))
}

func (b *browser) see(selector string) {
	b.t.Helper()
	b.do("see "+selector, chromedp.WaitVisible(selector, chromedp.ByQuery))
}

// eval runs an expression and returns its value.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	var v T
	b.do("evaluate "+expression, chromedp.Evaluate(expression, &v))
	return v
}

// until waits for an expression to become true.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		var ok bool
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
		err := chromedp.Run(ctx, chromedp.Evaluate("Boolean("+expression+")", &ok))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			b.failure("waiting until "+what, fmt.Errorf("%s is still false (%v)", expression, err))
		}
		time.Sleep(100 * time.Millisecond) // the browser has no event for "anything"
	}
}

// shot keeps a picture of the page; whole also of what is below the window.
func (b *browser) shot(file string, whole bool) {
	b.t.Helper()
	var data []byte
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	capture := chromedp.CaptureScreenshot(&data)
	if whole {
		capture = chromedp.FullScreenshot(&data, 90)
	}
	if err := chromedp.Run(ctx, capture); err != nil {
		b.t.Logf("no picture: %v", err)
		return
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err == nil {
		err = os.WriteFile(file, data, 0o644)
		if err != nil {
			b.t.Logf("no picture: %v", err)
		}
	}
}

// quote makes a JavaScript string.
func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}
