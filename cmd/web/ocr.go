package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"huizhi/internal/app"
	"huizhi/internal/config"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/local"
	"huizhi/internal/ocr/ocreval"
)

type ocrCmd struct {
	Files  []string `arg:"" optional:"" type:"existingfile" help:"Pictures: JPEG, PNG, WebP or BMP."`
	JSON   bool     `help:"Print JSON, one object a picture."`
	Eval   []string `type:"existingdir" placeholder:"DIR" help:"Measure the engine on the pictures of a folder with a meta.json of the truth, and compare with the goals."`
	Values bool     `help:"With --eval: print what was misread. It is personal data."`
}

// ocrLine is what --json prints for a picture.
type ocrLine struct {
	File   string      `json:"file"`
	Type   ocr.DocType `json:"type"`
	TookMS int64       `json:"took_ms"`
	Fields ocr.Fields  `json:"fields"`
	Error  string      `json:"error,omitempty"`
}

func (c ocrCmd) Run(e *env) error {
	conf, _, err := load()
	if err != nil {
		return err
	}
	if len(c.Files) == 0 && len(c.Eval) == 0 {
		return errors.New("name at least one picture, or --eval DIR")
	}
	reader, err := openReader(conf)
	if err != nil {
		return err
	}
	defer reader.Close()
	if err := reader.Health(e.ctx); err != nil {
		return err
	}
	if len(c.Eval) > 0 {
		return c.evaluate(e, reader)
	}
	failed := 0
	for _, file := range c.Files {
		line, err := readCard(e.ctx, reader, file)
		if err != nil {
			failed++
			line.Error = plain(err)
		}
		if c.JSON {
			if err := e.printJSON(line); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(e.out, "%s: %s, %d ms\n", line.File, line.Type, line.TookMS)
		if line.Error != "" {
			fmt.Fprintln(e.out, "  ", line.Error)
		}
		for _, name := range append(append([]ocr.FieldName{}, ocr.FrontFields...), ocr.BackFields...) {
			if f, ok := line.Fields[name]; ok {
				fmt.Fprintf(e.out, "  %-12s %s  %.2f %v\n", name, f.Value, f.Confidence, f.Flags)
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d pictures could not be read", failed, len(c.Files))
	}
	return nil
}

func openReader(conf *config.Config) (ocr.Reader, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program's file: %w", err)
	}
	return local.New(local.Config{Dir: conf.OCRDir, Exec: []string{exe, app.OCRWorker}}), nil
}

func readCard(ctx context.Context, reader ocr.Reader, file string) (ocrLine, error) {
	line := ocrLine{File: file, Type: ocr.Unknown, Fields: ocr.Fields{}}
	image, err := os.ReadFile(file)
	if err != nil {
		return line, err
	}
	r, err := reader.Read(ctx, ocr.Request{Image: image})
	if err != nil {
		return line, err
	}
	line.Type, line.TookMS, line.Fields = r.Type, r.Took.Milliseconds(), r.Fields
	return line, nil
}

func (c ocrCmd) evaluate(e *env, reader ocr.Reader) error {
	report, err := ocreval.Run(e.ctx, reader, c.Eval...)
	if err != nil {
		return err
	}
	if err := report.Print(e.out, c.Values); err != nil {
		return err
	}
	goals := report.Goals()
	if err := ocreval.PrintGoals(e.out, goals); err != nil {
		return err
	}
	if missed := ocreval.Missed(goals); len(missed) > 0 {
		return fmt.Errorf("%d of %d goals are not met", len(missed), len(goals))
	}
	return nil
}

type ocrWorkerCmd struct {
	Dir string `arg:"" help:"Folder of the engine."`
}

func (c ocrWorkerCmd) Run(*env) error { return local.Serve(os.Stdin, os.Stdout, c.Dir) }
