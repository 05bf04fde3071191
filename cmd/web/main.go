// Command web is Huizhi: the server, its workers, and the operator's tools.
//
//	web            serve (the default)
//	web --help     everything else
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // months are Asia/Shanghai's, also on machines without a zone database

	"github.com/alecthomas/kong"

	"huizhi/internal/app"
	"huizhi/internal/config"
)

type cli struct {
	Serve   serveCmd   `cmd:"" default:"1" help:"Serve the web pages and do the background work."`
	Migrate migrateCmd `cmd:"" help:"Bring the database schema up to date."`
	Tenant  struct {
		Create tenantCreateCmd `cmd:"" help:"Create a tenant and its owner."`
		List   tenantListCmd   `cmd:"" help:"List the tenants."`
	} `cmd:"" help:"Tenants: stores, schools, companies."`
	User struct {
		Create userCreateCmd `cmd:"" help:"Add a member to a tenant, or one of the platform's staff."`
	} `cmd:"" help:"Users."`
	APIKey struct {
		Create apikeyCreateCmd `cmd:"" help:"Create an API key; its secret is printed once."`
		List   apikeyListCmd   `cmd:"" help:"List a tenant's API keys."`
		Revoke apikeyRevokeCmd `cmd:"" help:"Revoke an API key."`
	} `cmd:"" name:"apikey" help:"API keys."`
	Order struct {
		List  orderListCmd  `cmd:"" help:"List a tenant's orders with their application numbers, states and charges."`
		Adopt orderAdoptCmd `cmd:"" help:"Give an order whose outcome is not known the application number that the provider told."`
	} `cmd:"" help:"Orders."`
	Invoice   invoiceCmd    `cmd:"" help:"Invoices."`
	Ledger    ledgerCmd     `cmd:"" help:"The ledger of what was charged."`
	Reconcile reconcileCmd  `cmd:"" help:"Compare a month three ways: the ledger, the provider's list, Stripe."`
	OCR       ocrCmd        `cmd:"" help:"Read pictures of ID cards with the local engine and print the fields."`
	Answers   ocrAnswersCmd `cmd:"" name:"ocr-answers" help:"Print what OCR providers answered about a picture, as it came, as long as that is kept. It is personal data."`
	Provider  providerCmd   `cmd:"" help:"The account at the receipt provider."`
	Simulator simulatorCmd  `cmd:"" help:"Run the simulated providers alone: receipts and the three OCR services."`
	Demo      demoCmd       `cmd:"" help:"Fill an empty database with a demo tenant."`
	Config    configCmd     `cmd:"" help:"Print every setting with its meaning and present value."`

	OCRWorker ocrWorkerCmd `cmd:"" name:"ocr-worker" hidden:"" help:"The OCR engine's child process."`
}

// env is what commands run in.
type env struct {
	ctx context.Context
	out io.Writer
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parser, err := kong.New(&c, kong.Name("web"), kong.Description("Huizhi (回执): official photo receipts for ID photos."),
		kong.UsageOnError(), kong.Writers(stdout, stderr))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	cmd, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "web:", err)
		return 2
	}
	err = cmd.Run(&env{ctx: ctx, out: stdout})
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "web:", plain(err))
		return 1
	}
	return 0
}

// load reads the settings; with several faults, each gets a line. A variable that
// is misspelt is warned of, as it would silently do nothing.
func load() (*config.Config, *slog.Logger, error) {
	c, err := config.Load()
	if err != nil {
		return nil, nil, errors.Join(append([]error{fmt.Errorf("the settings have faults:\n%w", err)}, misspelt()...)...)
	}
	opts := &slog.HandlerOptions{Level: slog.LevelInfo}
	log := slog.New(slog.NewTextHandler(os.Stderr, opts))
	if c.LogFormat == "json" {
		log = slog.New(slog.NewJSONHandler(os.Stderr, opts))
	}
	for _, u := range config.Unknowns() {
		log.Warn("a variable of the environment is no setting and does nothing", "name", u.Name, "nearest", u.Nearest)
	}
	return c, log, nil
}

// misspelt names the variables that are no settings, beside faults that they may
// be the cause of.
func misspelt() (faults []error) {
	for _, u := range config.Unknowns() {
		faults = append(faults, errors.New(u.String()))
	}
	return faults
}

// printJSON writes one object on a line.
func (e *env) printJSON(v any) error { return json.NewEncoder(e.out).Encode(v) }

type serveCmd struct{}

func (serveCmd) Run(e *env) error {
	c, log, err := load()
	if err != nil {
		return err
	}
	a, err := app.New(e.ctx, c, log)
	if err != nil {
		return err
	}
	if err := a.Listen(); err != nil {
		return errors.Join(err, a.Close(e.ctx))
	}
	if c.Demo {
		if err := a.FillDemo(e.ctx); err != nil {
			return errors.Join(err, a.Close(e.ctx))
		}
	}
	fmt.Fprintf(e.out, "\n  Huizhi (回执) is at %s\n", a.URL())
	if c.Demo {
		fmt.Fprintf(e.out, "  Sign in: %s / %s\n", app.DemoEmail, app.DemoPassword)
	}
	if c.Simulated() {
		fmt.Fprintln(e.out, "  演练环境: no provider key is set, the built-in simulator serves; nothing is real and nothing is charged.")
	}
	if err := a.OCR.Health(e.ctx); err != nil {
		fmt.Fprintln(e.out, "  The local OCR engine is not installed: fields are typed by hand. To get it: make ocr")
	}
	fmt.Fprintln(e.out, "  Stop with Ctrl+C.")
	fmt.Fprintln(e.out)
	return errors.Join(a.Run(e.ctx), a.Close(e.ctx))
}

type migrateCmd struct {
	JSON bool `help:"Print JSON."`
}

func (m migrateCmd) Run(e *env) error {
	c, _, err := load()
	if err != nil {
		return err
	}
	applied, err := app.Migrate(e.ctx, c)
	if err != nil {
		return err
	}
	if m.JSON {
		return e.printJSON(map[string]any{"applied": applied})
	}
	for _, name := range applied {
		fmt.Fprintln(e.out, "applied", name)
	}
	fmt.Fprintln(e.out, "the schema is up to date")
	return nil
}

type demoCmd struct {
	JSON bool `help:"Print JSON."`
}

func (d demoCmd) Run(e *env) error {
	c, log, err := load()
	if err != nil {
		return err
	}
	a, err := app.New(e.ctx, c, log)
	if err != nil {
		return err
	}
	err = errors.Join(a.FillDemo(e.ctx), a.Close(e.ctx))
	if err != nil {
		return err
	}
	if d.JSON {
		return e.printJSON(map[string]string{"email": app.DemoEmail, "password": app.DemoPassword})
	}
	fmt.Fprintf(e.out, "sign in: %s / %s\n", app.DemoEmail, app.DemoPassword)
	return nil
}

type configCmd struct {
	JSON bool `help:"Print JSON, one setting a line."`
}

func (c configCmd) Run(e *env) error {
	conf, loadErr := config.Load() // faulty settings are shown too, then named
	for _, s := range conf.Settings() {
		if c.JSON {
			if err := e.printJSON(s); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(e.out, "%s=%s\n    %s", s.Name, s.Value, s.Help)
		if s.Default != "" {
			fmt.Fprintf(e.out, " Default: %s.", s.Default)
		}
		fmt.Fprintf(e.out, "\n")
	}
	for _, u := range config.Unknowns() {
		if !c.JSON {
			fmt.Fprintln(e.out, u)
		} else if err := e.printJSON(u); err != nil {
			return err
		}
	}
	return loadErr
}
