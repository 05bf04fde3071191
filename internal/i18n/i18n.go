// Package i18n turns message keys into text, and times, money and sizes into the form a reader of that language
// expects.
//
// Texts live in locales/<language>/<area>.json as flat objects. A value is a text, or an object of plural forms that
// the argument "n" chooses between. Placeholders are {{.name}}; numbers are grouped (1,284). Every key starts with its
// area ("orders.status.ready" is in orders.json), or with "error." when it names a failure the area can report.
//
//	{"batches.submit": {"one": "Submit {{.n}} receipt", "other": "Submit {{.n}} receipts"}}
//	i18n.T(ctx, "batches.submit", "n", 46)
//
// It is its own small catalogue, not a library: two languages need one plural rule, and compiling every text at start
// makes a lookup cost a fraction of a microsecond, which matters on a page of fifty rows with ten texts each.
package i18n

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// Language is a language the product is written in, as a BCP 47 tag: it is also the value of <html lang>.
type Language string

// The languages of the product. Chinese is the first: texts are written in it and it is what an unknown reader gets.
const (
	ZH Language = "zh-CN"
	EN Language = "en"
)

// Languages lists every language, the default first.
func Languages() []Language { return []Language{ZH, EN} }

// Parse returns the language with exactly that tag; ok is false for anything else.
func Parse(tag string) (lang Language, ok bool) {
	for _, l := range Languages() {
		if string(l) == tag {
			return l, true
		}
	}
	return ZH, false
}

var matcher = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})

// Negotiate picks the language for a reader from the Accept-Language header. Anything it cannot read means Chinese.
func Negotiate(h http.Header) Language {
	tags, _, err := language.ParseAcceptLanguage(h.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return ZH
	}
	_, index, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return ZH
	}
	return Languages()[index]
}

type contextKey struct{}

// WithLang returns a context whose texts are in lang.
func WithLang(ctx context.Context, lang Language) context.Context {
	return context.WithValue(ctx, contextKey{}, lang)
}

// Lang is the language of the context, Chinese when none was set.
func Lang(ctx context.Context) Language {
	if lang, ok := ctx.Value(contextKey{}).(Language); ok {
		return lang
	}
	return ZH
}

// MissingMark begins what T returns for a key that no catalogue has. Tests of pages look for it.
const MissingMark = "⟦"

// T is the text of key in the language of ctx. args are pairs of placeholder name and value; the pair "n" also chooses
// the plural form. A missing key or argument shows as itself between ⟦ and ⟧, so that it is seen and nothing else on
// the page breaks.
func T(ctx context.Context, key string, args ...any) string {
	return texts.lookup(Lang(ctx), key, args)
}

// Has reports whether every language has the key. It is for keys made at run time, such as those of upstream reasons.
func Has(key string) bool {
	for _, lang := range Languages() {
		if _, ok := texts[lang][key]; !ok {
			return false
		}
	}
	return true
}

func (c catalogue) lookup(lang Language, key string, args []any) string {
	m, ok := c[lang][key]
	if !ok {
		return MissingMark + key + "⟧"
	}
	form := m.other
	if m.one != nil && isOne(args) {
		form = m.one
	}
	if len(form) == 1 && form[0].placeholder == "" {
		return form[0].text
	}
	var b strings.Builder
	for _, part := range form {
		if part.placeholder == "" {
			b.WriteString(part.text)
			continue
		}
		b.WriteString(argument(part.placeholder, args))
	}
	return b.String()
}

func argument(name string, args []any) string {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return show(args[i+1])
		}
	}
	return MissingMark + name + "⟧"
}

func isOne(args []any) bool {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "n" {
			return show(args[i+1]) == "1"
		}
	}
	return false
}

func show(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return Count(int64(v))
	case int64:
		return Count(v)
	case int32:
		return Count(int64(v))
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}
