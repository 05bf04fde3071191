// Package uploadview is the part of a batch's page where files come in, and the
// page that says why some did not. The uploader itself is web/src/upload.ts; it
// takes its addresses, words and row from what is rendered here. Without script
// the same form sends the files.
package uploadview

import (
	"context"
	"encoding/json"
	"net/url"

	"huizhi/internal/i18n"
	"huizhi/web/static"
	"huizhi/web/templates/ui"
)

// Model is the upload part of a batch's page.
type Model struct {
	Balance   BalanceModel
	SampleURL string // a ZIP of invented people to try with; "" for none
}

// BalanceModel is what became of the picked files: Picked is the sum of the next
// three.
type BalanceModel struct {
	BatchID                            string
	Picked, Stored, Duplicate, Refused int64
	Unpacking                          int64 // ZIPs being unpacked
	Entries                            int64 // files in them still to come
}

// RefusalsModel is the list of refused files.
type RefusalsModel struct {
	BatchID, BatchName string
	Files              []RefusedFile
}

// RefusedFile is a file with the sentence why it was refused.
type RefusedFile struct {
	Name   string
	Size   int64
	Reason string
}

func (m BalanceModel) path(tail string) string { return "/batches/" + url.PathEscape(m.BatchID) + tail }

func (m RefusalsModel) path(tail string) string {
	return "/batches/" + url.PathEscape(m.BatchID) + tail
}

// empty tells that nobody has picked anything yet.
func (m BalanceModel) empty() bool { return m.Picked == 0 && m.Unpacking == 0 }

// settings are the addresses and words of the uploader, for its data-settings.
func settings(ctx context.Context, m BalanceModel) string {
	words := map[string]string{}
	for _, name := range []string{
		"reading_folder", "title_sending", "title_checking", "title_paused", "title_offline", "title_done", "title_unsent", "title_signed_out",
		"amount", "speed", "seconds_left", "minutes_left", "leave_later", "leave_now", "unpacking", "announce",
		"state_waiting", "state_checking", "state_sending", "state_stored", "state_duplicate", "state_refused", "state_archive", "state_unpacked", "state_failed", "state_again",
		"error_network", "error_unreadable", "error_denied", "error_gone", "error_server", "shot", "pause", "resume",
	} {
		words[name] = i18n.T(ctx, "upload.js."+name, placeholders...)
	}
	data, err := json.Marshal(map[string]any{
		"files":   m.path("/files"),
		"check":   m.path("/files/check"),
		"balance": m.path("/files/balance"),
		"worker":  static.URL("upload-worker.js"),
		"start":   map[string]int64{"picked": m.Picked, "stored": m.Stored, "duplicate": m.Duplicate, "refused": m.Refused, "unpacking": m.Unpacking, "entries": m.Entries},
		"words":   words,
		"icons":   rowIcons,
	})
	if err != nil {
		panic(err) // impossible: strings and numbers only
	}
	return string(data)
}

// rowIcons are the icons of the files by their state in the script.
var rowIcons = map[string]string{
	"waiting": "clock", "checking": "scan-search", "sending": "upload", "again": "rotate-cw", "failed": "circle-x",
	"stored": "check", "duplicate": "copy", "refused": "ban", "archive": "folder-archive", "unpacked": "check",
}

// placeholders lets the script fill in what it counts.
var placeholders = []any{"n", "{n}", "done", "{done}", "total", "{total}", "speed", "{speed}", "failed", "{failed}"}

func count(n int64) string { return i18n.Count(n) }

// actions of the page of refusals.
func (m RefusalsModel) actions(ctx context.Context) []ui.Btn {
	if len(m.Files) == 0 {
		return nil
	}
	return []ui.Btn{{Label: i18n.T(ctx, "upload.refusals.csv"), Icon: "download", Href: m.path("/refusals.csv")}}
}
