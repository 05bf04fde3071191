package clipimg

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"huizhi/internal/i18n"
	"huizhi/internal/providers"
)

// documented reads testdata/error_codes.txt: the list as the document has it, code and text run together.
func documented(t *testing.T) map[int]string {
	t.Helper()
	f, err := os.Open("testdata/error_codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list := make(map[int]string)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
		if no, err := strconv.Atoi(line[:digits]); err == nil {
			list[no] = line[digits:]
		}
	}
	return list
}

func TestEveryDocumentedCodeHasAReactionAndASentence(t *testing.T) {
	t.Parallel()
	list := documented(t)
	if list[0] != "成功" || len(list) != 16 {
		t.Fatalf("the document lists 15 errors beside success: %v", list)
	}
	delete(list, 0)
	for no, text := range list {
		if codes[no].text != text {
			t.Errorf("%d: %q, the document says %q", no, codes[no].text, text)
		}
		e := &providers.Error{Code: no}
		for _, lang := range i18n.Languages() {
			if got := i18n.T(i18n.WithLang(t.Context(), lang), e.Key()); got == "" || got == e.Key() || got == i18n.T(i18n.WithLang(t.Context(), lang), "provider.unknown") {
				t.Errorf("%d has no sentence of its own in %s", no, lang)
			}
		}
	}
	for no := range codes {
		if list[no] == "" {
			t.Errorf("%d is not in the document", no)
		}
	}
}

func TestWhatACodeProvesAndWhatHappensNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		codes            []int
		submit, read     providers.Outcome
		onSubmit, onRead providers.Reaction
	}{
		{[]int{1001, 1013}, providers.OutcomeAccount, providers.OutcomeAccount, providers.ReactStop, providers.ReactStop},
		{[]int{1002, 1003, 1004}, providers.OutcomeRefused, providers.OutcomeRefused, providers.ReactOperator, providers.ReactOperator},
		{[]int{1005, 1006, 1007, 1008}, providers.OutcomeRefused, providers.OutcomeRefused, providers.ReactFix, providers.ReactFix},
		// They speak of application numbers, which a submit has none of: as its answer they prove nothing.
		{[]int{1009, 1011, 1012}, providers.OutcomeUnknown, providers.OutcomeRefused, providers.ReactReconcile, providers.ReactOperator},
		{[]int{1010}, providers.OutcomeUnknown, providers.OutcomeRefused, providers.ReactReconcile, providers.ReactLater},
		{[]int{2001, 2002, 1014, 3000, -1}, providers.OutcomeUnknown, providers.OutcomeUnknown, providers.ReactReconcile, providers.ReactLater},
	} {
		for _, no := range c.codes {
			for op, want := range map[string]struct {
				providers.Outcome
				providers.Reaction
			}{opSubmit: {c.submit, c.onSubmit}, opQuery: {c.read, c.onRead}, opApplications: {c.read, c.onRead}} {
				err := failed(op, 200, no)
				if err.Outcome != want.Outcome || providers.ReactionOf(err) != want.Reaction {
					t.Errorf("%s %d: %s, %s; want %s, %s", op, no, err.Outcome, providers.ReactionOf(err), want.Outcome, want.Reaction)
				}
				if got := failed(op, 502, no).Outcome; got != providers.OutcomeUnknown {
					t.Errorf("%s %d with HTTP 502 proves %s", op, no, got)
				}
				if got := failed(op, 429, no); got.Outcome != providers.OutcomeThrottled || providers.ReactionOf(got) != providers.ReactLater {
					t.Errorf("%s %d with HTTP 429: %s, %s", op, no, got.Outcome, providers.ReactionOf(got))
				}
			}
		}
	}
}
