package ui

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Toast is a short message at the bottom left. It goes after 8 seconds; one that failed stays until it is closed.
type Toast struct {
	Tone  Tone   `json:"tone"`
	Title string `json:"title"`
	Text  string `json:"text,omitempty"`
	// Undo is where a POST takes back what was done; UndoLabel is the word for it.
	Undo      string `json:"undo,omitempty"`
	UndoLabel string `json:"undoLabel,omitempty"`
	// RequestID helps those who are asked for help to find what happened.
	RequestID string `json:"requestId,omitempty"`
}

// ToastHeader is the value of the HX-Trigger header that shows toasts beside any htmx answer. Headers are ASCII, so
// everything else is escaped.
func ToastHeader(toasts ...Toast) string {
	data, err := json.Marshal(map[string][]Toast{"toast": toasts})
	if err != nil {
		panic(err) // impossible: only strings
	}
	var b strings.Builder
	for _, r := range string(data) {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			escape(&b, 0xD800+r>>10)
			escape(&b, 0xDC00+r&0x3FF)
		default:
			escape(&b, r)
		}
	}
	return b.String()
}

func escape(b *strings.Builder, r rune) {
	b.WriteString(`\u`)
	hex := strconv.FormatInt(int64(r), 16)
	b.WriteString(strings.Repeat("0", 4-len(hex)) + hex)
}

func (t Toast) stays() bool { return t.Tone == Fail }
