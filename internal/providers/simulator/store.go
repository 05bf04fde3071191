package simulator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// application is one accepted submit, as kept in memory and in the journal.
type application struct {
	No             string       `json:"no"`
	Seq            int          `json:"seq"` // 1 for the first application ever accepted
	Token          string       `json:"token"`
	TypeID         int          `json:"type_id"`
	PhotoURL       string       `json:"photo_url"`
	Fields         customFields `json:"fields"`
	CallbackURL    string       `json:"callback_url,omitempty"`
	Simulate       bool         `json:"simulate,omitempty"`
	SimulateResult string       `json:"simulate_result,omitempty"`

	Status       string    `json:"status"`
	Problem      string    `json:"problem,omitempty"` // found in processing, told at the end
	Message      string    `json:"message,omitempty"`
	ImageCode    string    `json:"image_code,omitempty"`
	Charged      bool      `json:"charged,omitempty"`
	SubmitTime   time.Time `json:"submit_time"`
	ProcessTime  time.Time `json:"process_time,omitzero"`
	CompleteTime time.Time `json:"complete_time,omitzero"`
	Changed      time.Time `json:"changed"` // when Status began

	CallbackTries int  `json:"callback_tries,omitempty"`
	CallbackDone  bool `json:"callback_done,omitempty"`
	WentBackward  bool `json:"went_backward,omitempty"` // the fault has happened

	resultIgnored bool      // simulate_result was sent without simulate
	asked         time.Time // when the second began in which
	askedCount    int       // so many queries came
}

// askedTooOften counts a query, and reports whether it is the first beyond five within a second.
func (a *application) askedTooOften(now time.Time) bool {
	if now.Sub(a.asked) >= time.Second {
		a.asked, a.askedCount = now, 0
	}
	a.askedCount++
	return a.askedCount == 6
}

// customFields are echoed exactly as they came.
type customFields map[string]json.RawMessage

// text returns a field as text: a string without its quotes, null and nothing as "".
func (f customFields) text(name string) string {
	raw := f[name]
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) == nil { // null leaves s empty
		return strings.TrimSpace(s)
	}
	return string(raw)
}

func (a *application) final() bool { return a.Status == statusCompleted || a.Status == statusFailed }

// store keeps applications and their standard photos over restarts. Its journal is a file of JSON lines; the last line
// about an application counts, and a last line that was cut off by a kill is dropped. A write has reached the operating
// system when it returns, so it survives the process, though not a loss of power.
type store struct {
	dir     string // empty: memory only
	journal *os.File
	size    int64 // of the journal

	mu     sync.Mutex
	photos map[string][]byte // by application number, for memory only
}

// entry is one line of the journal.
type entry struct {
	Application *application `json:"application,omitempty"`
	TopUps      *int         `json:"top_ups,omitempty"`
}

// state is what a journal adds up to.
type state struct {
	applications []*application // oldest first
	topUps       int
}

func openStore(dir string) (*store, state, error) {
	if dir == "" {
		return &store{photos: make(map[string][]byte)}, state{}, nil
	}
	if err := os.MkdirAll(filepath.Join(dir, "photos"), 0o700); err != nil {
		return nil, state{}, fmt.Errorf("simulator state: %w", err)
	}
	path := filepath.Join(dir, "journal.jsonl")
	saved, err := readJournal(path)
	if err != nil {
		return nil, state{}, err
	}
	st := &store{dir: dir}
	if err := st.rewrite(path, saved); err != nil {
		return nil, state{}, fmt.Errorf("simulator state: %w", err)
	}
	return st, saved, nil
}

func readJournal(path string) (state, error) {
	var saved state
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return saved, nil
	}
	if err != nil {
		return saved, fmt.Errorf("simulator state: %w", err)
	}
	byNo := make(map[string]*application)
	for line := 1; len(content) > 0; line++ {
		text, rest, complete := bytes.Cut(content, []byte("\n"))
		if !complete {
			break // the process was killed while it wrote
		}
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			return saved, fmt.Errorf("simulator state: %s line %d is damaged", path, line)
		}
		if e.TopUps != nil {
			saved.topUps = *e.TopUps
		}
		if a := e.Application; a != nil {
			if known := byNo[a.No]; known != nil {
				*known = *a
			} else {
				byNo[a.No] = a
				saved.applications = append(saved.applications, a)
			}
		}
		content = rest
	}
	return saved, nil
}

// rewrite replaces the journal by a short one with the same meaning, and opens it for appending.
func (st *store) rewrite(path string, saved state) error {
	file, err := os.CreateTemp(st.dir, "journal-*")
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffered)
	err = encoder.Encode(entry{TopUps: &saved.topUps})
	for _, a := range saved.applications {
		err = errors.Join(err, encoder.Encode(entry{Application: a}))
	}
	if err = errors.Join(err, buffered.Flush(), os.Rename(file.Name(), path)); err != nil {
		return errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	st.journal = file // stays open at its end, under its new name
	st.size, err = file.Seek(0, io.SeekCurrent)
	return err
}

func (st *store) save(a *application) error { return st.append(entry{Application: a}) }

func (st *store) saveTopUps(n int) error { return st.append(entry{TopUps: &n}) }

// append writes one line, all of it or nothing. The caller holds Server.mu, which keeps lines apart.
func (st *store) append(e entry) error {
	if st.journal == nil {
		return nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if _, err := st.journal.WriteAt(line, st.size); err != nil {
		return errors.Join(err, st.journal.Truncate(st.size))
	}
	st.size += int64(len(line))
	return nil
}

func (st *store) savePhoto(no string, jpeg []byte) error {
	if st.dir == "" {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.photos[no] = jpeg
		return nil
	}
	return os.WriteFile(st.photoPath(no), jpeg, 0o600)
}

func (st *store) photo(no string) ([]byte, error) {
	if st.dir == "" {
		st.mu.Lock()
		defer st.mu.Unlock()
		if jpeg, ok := st.photos[no]; ok {
			return jpeg, nil
		}
		return nil, fs.ErrNotExist
	}
	return os.ReadFile(st.photoPath(no))
}

func (st *store) photoPath(no string) string { return filepath.Join(st.dir, "photos", no+".jpg") }

func (st *store) close() error {
	if st.journal == nil {
		return nil
	}
	return st.journal.Close()
}
