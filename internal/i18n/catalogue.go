package i18n

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed locales
var locales embed.FS

// texts is compiled once at start; a catalogue that does not compile is a broken build, so it panics.
var texts = func() catalogue {
	c, err := load(locales)
	if err != nil {
		panic(err)
	}
	return c
}()

// catalogue holds every message by language and key.
type catalogue map[Language]map[string]message

// message is one text cut at its placeholders. one is nil where the language or the text has no singular.
type message struct{ one, other []part }

// part is a stretch of text or, if placeholder is set, the place of an argument.
type part struct{ text, placeholder string }

// load reads locales/<language>/<area>.json of every language and reports everything wrong with them at once.
func load(files fs.FS) (catalogue, error) {
	c := catalogue{}
	var errs []error
	for _, lang := range Languages() {
		c[lang] = map[string]message{}
		names, err := fs.Glob(files, "locales/"+string(lang)+"/*.json")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := c.add(lang, files, name); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	return c, errors.Join(errs...)
}

func (c catalogue) add(lang Language, files fs.FS, name string) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	area := strings.TrimSuffix(path.Base(name), ".json")
	for key, value := range raw {
		if !strings.HasPrefix(key, area+".") && !strings.HasPrefix(key, "error.") {
			return fmt.Errorf("%s does not start with %q or \"error.\"", key, area+".")
		}
		if _, twice := c[lang][key]; twice {
			return fmt.Errorf("%s is already in another file", key)
		}
		m, err := compile(value)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		c[lang][key] = m
	}
	return nil
}

func compile(value json.RawMessage) (message, error) {
	var forms struct{ One, Other string }
	if err := json.Unmarshal(value, &forms.Other); err != nil {
		if err := json.Unmarshal(value, &forms); err != nil {
			return message{}, errors.New(`want a text or {"one": …, "other": …}`)
		}
	}
	if strings.TrimSpace(forms.Other) == "" {
		return message{}, errors.New("empty text")
	}
	other, err := cut(forms.Other)
	if err != nil || forms.One == "" {
		return message{other: other}, err
	}
	one, err := cut(forms.One)
	return message{one: one, other: other}, err
}

// cut splits "a {{.n}} b" into "a ", n, " b".
func cut(text string) ([]part, error) {
	var parts []part
	for {
		before, rest, found := strings.Cut(text, "{{.")
		if before != "" {
			parts = append(parts, part{text: before})
		}
		if !found {
			return parts, nil
		}
		name, after, closed := strings.Cut(rest, "}}")
		if !closed || name == "" || strings.ContainsAny(name, " {}.") {
			return nil, fmt.Errorf("bad placeholder after %q", before)
		}
		parts = append(parts, part{placeholder: name})
		text = after
	}
}

// placeholders lists the names of the arguments a form needs, sorted.
func placeholders(form []part) []string {
	var names []string
	for _, p := range form {
		if p.placeholder != "" && !slices.Contains(names, p.placeholder) {
			names = append(names, p.placeholder)
		}
	}
	slices.Sort(names)
	return names
}
