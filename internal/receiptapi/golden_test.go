package receiptapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/dbtest"
)

// Each file of testdata/golden is a call as the document's samples write it, and our answer to it, byte for byte but
// for what is another one each time: key, addresses, numbers and times stand as in the document. callback.json is what
// a client is told. HUIZHI_UPDATE_GOLDEN=1 writes the answers anew, to be compared with the document by eye.
func TestRawBytesBothWays(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLiteURL(t))
	o := s.newOwner(false)
	s.start()
	files, err := filepath.Glob("testdata/golden/*.http")
	require.NoError(t, err)
	require.Len(t, files, 25)
	words := newWords(o)
	for _, file := range files { // in order: the submits come before their queries
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		request, _, _ := strings.Cut(string(text), answerStart)
		answer := s.exchange(words.ours.Replace(strings.TrimSuffix(request, "\n")))
		if no := applicationNumber.FindString(answer); strings.Contains(file, "-submit") {
			words.learn(no)
			o.await(no, []string{"completed", "processing", "failed"}[len(words.numbers)-1])
		}
		compare(t, file, strings.TrimSuffix(request, "\n")+"\n\n"+words.documents(answer)+"\n")
	}
	require.Eventually(t, func() bool { return len(s.callbacks()) == 1 }, 60*time.Second, 10*time.Millisecond)
	compare(t, "testdata/golden/callback.json", words.documents(s.callbacks()[0].raw)+"\n")
}

// answerStart is where a file's answer begins, after an empty line.
const answerStart = "\nHTTP/1.1 "

func compare(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("HUIZHI_UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, file)
}

// exchange sends a call on a connection of its own, and returns the status, the type and the body of the answer.
func (s *site) exchange(call string) string {
	s.t.Helper()
	head, body, _ := strings.Cut(call, "\n\n")
	if body != "" {
		head += fmt.Sprintf("\nContent-Length: %d", len(body))
	}
	u, err := url.Parse(s.URL)
	require.NoError(s.t, err)
	conn, err := net.Dial("tcp", u.Host)
	require.NoError(s.t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body)
	require.NoError(s.t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(s.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return fmt.Sprintf("%s %s\nContent-Type: %s\n\n%s", res.Proto, res.Status, res.Header.Get("Content-Type"), raw)
}

// words translate between the document's samples and this site.
type words struct {
	o       *owner
	numbers []string // of our applications; the document's are RA20231201143059001 and so on
	ours    *strings.Replacer
}

func newWords(o *owner) *words {
	w := &words{o: o}
	w.learn()
	return w
}

// learn takes numbers that were given into the translation.
func (w *words) learn(numbers ...string) {
	w.numbers = append(w.numbers, numbers...)
	pairs := []string{"your-api-key", w.o.key, "http://your-domain.com", w.o.client.URL}
	for i, no := range w.numbers {
		pairs = append(pairs, sampleNumber(i), no)
	}
	w.ours = strings.NewReplacer(pairs...)
}

func sampleNumber(i int) string { return fmt.Sprintf("RA20231201143059%03d", i+1) }

var (
	applicationNumber = regexp.MustCompile(`RA\d{17,}`)
	changing          = []struct {
		pattern *regexp.Regexp
		sample  string
	}{
		{regexp.MustCompile(`http://127[^"]+/receipt\.pdf`), "http://example.com/result.pdf"},
		{regexp.MustCompile(`http://127[^"]+/photo\.jpg`), "http://example.com/standard_photo.jpg"},
		{regexp.MustCompile(`IMG\d{11}`), "IMG20231201001"},
		{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "2023-12-01 14:30:59"},
		{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`), "2023-12-08T10:21:00.000Z"},
	}
)

// documents turns an answer of ours into the document's words.
func (w *words) documents(text string) string {
	for i, no := range w.numbers {
		text = strings.ReplaceAll(text, no, sampleNumber(i))
	}
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.sample)
	}
	return text
}
