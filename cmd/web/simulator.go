package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"huizhi/internal/app"
	"huizhi/internal/config"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/providers/simulator/account"
)

type simulatorCmd struct {
	Addr       string        `default:"127.0.0.1:9090" help:"Address to listen on."`
	URL        string        `help:"Address under which clients reach it. Default: http:// and the address listened on."`
	APIKey     string        `name:"apikey" help:"Key of the receipt provider."`
	State      string        `placeholder:"DIR" help:"Folder that keeps the applications over restarts. Default: nothing is kept."`
	Pace       time.Duration `default:"5s" help:"How long one receipt takes on average."`
	Points     int           `default:"10000000" help:"Opening balance in points, at least 1."`
	QPS        int           `help:"Requests per second that each account may make. Default: no limit."`
	OCRCalls   int           `help:"Charged calls that each OCR account may make. Default: no limit."`
	OCRDir     string        `placeholder:"DIR" help:"Folder of the local OCR engine, which reads for the simulated ones. Default: they see no card on any picture."`
	PanelToken string        `help:"Opens the panel to other machines that know it. Default: the panel is for this machine only."`
	JSON       bool          `help:"Print JSON."`
}

// variable is a setting of the server that uses the simulator.
type variable struct{ name, value string }

func (c simulatorCmd) Run(e *env) error {
	limits := account.Config{Calls: c.OCRCalls, QPS: c.QPS}
	cfg := simulator.Config{
		Addr: c.Addr, URL: c.URL, APIKey: c.APIKey, StatePath: c.State, Points: c.Points, QPS: c.QPS, Pace: simulator.PaceOf(c.Pace),
		PanelToken: c.PanelToken, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		OCR: simulator.OCR{Pyi: limits, Juhe: limits, Xinhuo: limits},
	}
	if c.OCRDir != "" {
		engine, err := openReader(&config.Config{OCRDir: c.OCRDir})
		if err != nil {
			return err
		}
		defer engine.Close()
		if err := engine.Health(e.ctx); err != nil {
			return err
		}
		cfg.OCR.Recognise = app.RecogniseWith(engine)
	}
	s, err := simulator.Start(e.ctx, cfg)
	if err != nil {
		return err
	}
	if err := c.announce(e, s); err != nil {
		return errors.Join(err, s.Close())
	}
	<-e.ctx.Done()
	return s.Close()
}

// announce prints where everything is, as settings for a server that is to use it.
func (c simulatorCmd) announce(e *env, s *simulator.Server) error {
	ocr := s.OCRAccess()
	settings := []variable{
		{"HUIZHI_CLIPIMG_URL", s.URL()}, {"HUIZHI_CLIPIMG_APIKEY", s.APIKey()},
		{"HUIZHI_PYI_URL", s.HostURL()}, {"HUIZHI_PYI_APPID", ocr.PyiAppID}, {"HUIZHI_PYI_SECRET", ocr.PyiSecret},
		{"HUIZHI_JUHE_URL", s.HostURL()}, {"HUIZHI_JUHE_KEY", ocr.JuheKey},
		{"HUIZHI_XINHUO_URL", s.HostURL()}, {"HUIZHI_XINHUO_TOKEN", ocr.XinhuoToken},
	}
	if c.JSON {
		env := make(map[string]string)
		for _, v := range settings {
			env[v.name] = v.value
		}
		return e.printJSON(map[string]any{"url": s.HostURL(), "panel": s.PanelURL(), "env": env})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n  The simulated providers are at %s\n  Faults, balances, applications: %s\n\n", s.HostURL(), s.PanelURL())
	fmt.Fprint(&b, "  Settings for a server that is to use them; it also needs HUIZHI_BASE_URL, its own address:\n\n")
	for _, v := range settings {
		fmt.Fprintf(&b, "export %s=%s\n", v.name, v.value)
	}
	fmt.Fprint(&b, "export HUIZHI_ALLOW_PRIVATE_URLS=true\n\n  Stop with Ctrl+C.\n\n")
	_, err := fmt.Fprint(e.out, b.String())
	return err
}
