package simulator_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"huizhi/internal/providers/simulator"
	"huizhi/internal/providers/simulator/cards"
)

// Requests as raw bytes, made by other means than this program, and the answers as raw bytes, down to the order of the
// members. HUIZHI_UPDATE_GOLDEN=1 writes the answers anew, to be compared with the documents by eye.
func TestRawBytesBothWays(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{OCR: simulator.OCR{Now: func() time.Time { return time.Unix(1516938515, 0) }}})
	register(t, s, "front.png", cards.Card{Kind: cards.IDFront, Fields: map[string]string{
		cards.Name: "李义", cards.Sex: "男", cards.Ethnicity: "汉", cards.BirthDate: "1994-04-06",
		cards.Address: "江西省抚州市广昌县", cards.IDNumber: "362532199404064129",
	}})
	register(t, s, "back.png", cards.Card{Kind: cards.IDBack, Fields: map[string]string{
		cards.Authority: "广昌县公安局", cards.ValidFrom: "2017-03-13", cards.ValidUntil: "2037-03-13",
	}})
	files, err := filepath.Glob("testdata/golden/*.request")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d requests, %v", len(files), err)
	}
	number := documentNumber
	for _, file := range files { // in order: ClipImg's submit comes before its queries
		request, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		answer := exchange(t, s, bytes.ReplaceAll(request, []byte(documentNumber), []byte(number)))
		if no := applicationNumber.FindString(string(answer)); number == documentNumber && no != "" {
			number = no
			waitFor(t, s, number, "completed")
		}
		got := steady(s, answer)
		golden := strings.TrimSuffix(file, ".request") + ".answer"
		if os.Getenv("HUIZHI_UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", file, got, want)
		}
	}
}

func register(t *testing.T, s *simulator.Server, file string, c cards.Card) {
	t.Helper()
	picture, err := os.ReadFile("testdata/golden/" + file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(picture)
	s.RegisterCard(hex.EncodeToString(sum[:]), c)
}

// exchange sends bytes on a connection of their own and returns all that comes back.
func exchange(t *testing.T, s *simulator.Server, request []byte) []byte {
	t.Helper()
	u, err := url.Parse(s.HostURL())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// documentNumber stands for the application's number in the files, as in the document's samples.
const documentNumber = "RA20231201143059001"

var (
	applicationNumber = regexp.MustCompile(`RA\d{17,}`)
	changing          = []struct {
		pattern *regexp.Regexp
		steady  string
	}{
		{regexp.MustCompile(`(Date|Content-Length): [^\r]+\r\n`), ""}, // the length depends on the port
		{applicationNumber, documentNumber},
		{regexp.MustCompile(`IMG\d{11}`), "IMG20231201001"},
		{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "2023-12-01 14:30:59"},
		{regexp.MustCompile(`/files/[A-Z2-7]{26}/`), "/files/TOKEN/"},
	}
)

// steady replaces what is another one each time by the document's samples.
func steady(s *simulator.Server, answer []byte) []byte {
	answer = bytes.ReplaceAll(answer, []byte(s.HostURL()), []byte("http://simulator"))
	for _, c := range changing {
		answer = c.pattern.ReplaceAll(answer, []byte(c.steady))
	}
	return answer
}
