package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"huizhi/internal/apperr"
)

// member is a file of a test archive.
type member struct {
	zip.FileHeader
	content string
	raw     bool // headers are written as they are
}

// plain is an ordinary member with a name that says its encoding.
func plain(name, content string) member {
	return member{FileHeader: zip.FileHeader{Name: name, Method: zip.Deflate}, content: content}
}

// undeclared is a member whose name's encoding is not declared.
func undeclared(name string) member {
	return member{FileHeader: zip.FileHeader{Name: name, NonUTF8: true}, content: "x"}
}

func gbk(t testing.TB, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func build(t testing.TB, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, m := range members {
		create := w.CreateHeader
		if m.raw {
			create = w.CreateRaw
		}
		f, err := create(&m.FileHeader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// unpack walks an archive, reading everything, and returns the paths that were read.
func unpack(t testing.TB, data []byte, limits Limits) ([]string, Report, error) {
	t.Helper()
	var paths []string
	report, err := Walk(context.Background(), bytes.NewReader(data), int64(len(data)), limits,
		func(e Entry, r io.Reader) error {
			if _, err := io.Copy(io.Discard, r); err != nil {
				return fmt.Errorf("store: %w", err)
			}
			paths = append(paths, strings.TrimPrefix(e.Folder+"/"+e.Name, "/"))
			return nil
		})
	if report.Read != len(paths) {
		t.Errorf("%d read by the report, %d handed out", report.Read, len(paths))
	}
	return paths, report, err
}

// key returns the catalogue key of a refusal.
func key(err error) string {
	var e *apperr.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Key
}

func TestChineseNamesAreReadWhoeverWroteThem(t *testing.T) {
	t.Parallel()
	const name = "三年级/二班/张三 身份证正面.jpg"
	utf8Extra := append(binary.LittleEndian.AppendUint32([]byte{1}, crc32.ChecksumIEEE([]byte("garbled.jpg"))), name...)
	utf8Extra = append(binary.LittleEndian.AppendUint16([]byte{0x75, 0x70}, uint16(len(utf8Extra))), utf8Extra...)
	infoZIP := undeclared("garbled.jpg")
	infoZIP.Extra = utf8Extra
	for who, m := range map[string]member{
		"declared as UTF-8":      plain(name, "x"),
		"Windows, GBK":           undeclared(gbk(t, name)),
		"Windows, backslashes":   undeclared(gbk(t, strings.ReplaceAll(name, "/", `\`))),
		"macOS, undeclared":      undeclared(name),
		"Info-ZIP, Unicode path": infoZIP,
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			paths, report, err := unpack(t, build(t, m), DefaultLimits())
			if err != nil || len(report.Refused) > 0 || !slices.Equal(paths, []string{name}) {
				t.Errorf("%q, %+v, %v", paths, report, err)
			}
		})
	}
}

// The trail byte of 乗 in GBK is a backslash, which must not become a folder.
func TestBackslashInsideACharacterIsNoSeparator(t *testing.T) {
	t.Parallel()
	paths, _, err := unpack(t, build(t, undeclared(gbk(t, "李乗风.jpg"))), DefaultLimits())
	if err != nil || !slices.Equal(paths, []string{"李乗风.jpg"}) {
		t.Errorf("%q, %v", paths, err)
	}
}

// Some GBK names are valid UTF-8 by accident: the bytes of "谭" are those of a combining stroke.
func TestEncodingIsDecidedByPlausibilityOverAllNames(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{
		{"谭.jpg"},
		{"谭.jpg", "模.jpg", "照片/1.jpg"},
		{"小美.jpg"}, {"王子涵.jpg", "冯喆.jpg"}, {"龘.jpg", "囍.jpg", "张三.jpg"},
		{"Müller.jpg", "Zoë.png"},
		{"①照片（白底）.jpg"},
	} {
		for encoding, encode := range map[string]func(testing.TB, string) string{
			"UTF-8": func(_ testing.TB, s string) string { return s },
			"GBK":   gbk,
		} {
			if encoding == "GBK" && names[0][0] == 'M' {
				continue // GBK has no umlauts
			}
			var members []member
			for _, n := range names {
				members = append(members, undeclared(encode(t, n)))
			}
			paths, _, err := unpack(t, build(t, members...), DefaultLimits())
			if err != nil || !slices.Equal(paths, names) {
				t.Errorf("%s %q became %q, %v", encoding, names, paths, err)
			}
		}
	}
}

func TestOneBadFileDoesNotSpoilTheRest(t *testing.T) {
	t.Parallel()
	inner := build(t, plain("a.jpg", "x"))
	encrypted := member{FileHeader: zip.FileHeader{Name: "locked.jpg", Flags: 1, CompressedSize64: 3, UncompressedSize64: 3}, content: "abc", raw: true}
	odd := member{FileHeader: zip.FileHeader{Name: "odd.jpg", Method: 9, CompressedSize64: 3, UncompressedSize64: 3}, content: "abc", raw: true}
	broken := member{FileHeader: zip.FileHeader{Name: "broken.jpg", CRC32: 1, CompressedSize64: 3, UncompressedSize64: 3}, content: "abc", raw: true}
	garbage := member{FileHeader: zip.FileHeader{Name: "garbage.jpg", Method: zip.Deflate, CompressedSize64: 3, UncompressedSize64: 90}, content: "\xff\xff\xff", raw: true}
	link := plain("link.jpg", "/etc/passwd")
	link.SetMode(fs.ModeSymlink | 0o777)
	data := build(t,
		plain("first.jpg", "x"), plain("../../etc/passwd", "x"), plain("/abs.jpg", "x"), plain(`C:\win.jpg`, "x"),
		plain("a/../../b.jpg", "x"), plain("bell\a.jpg", "x"), link, encrypted, odd, broken, garbage,
		plain("nested.zip", string(inner)), plain("photos.rar", "Rar!\x1a\x07\x01\x00"), plain("roster.xlsx", string(inner)),
		plain("last.jpg", "x"),
	)
	paths, report, err := unpack(t, data, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"first.jpg", "roster.xlsx", "last.jpg"}; !slices.Equal(paths, want) {
		t.Errorf("read %q, want %q", paths, want)
	}
	var got []string
	for _, r := range report.Refused {
		got = append(got, r.Entry.Name+" "+strings.TrimPrefix(r.Err.Key, "error.zip."))
	}
	want := []string{
		"passwd unsafe_name", "abs.jpg unsafe_name", "win.jpg unsafe_name", "b.jpg unsafe_name", "bell\a.jpg unsafe_name",
		"link.jpg unsafe_name", "locked.jpg encrypted", "odd.jpg method", "broken.jpg entry_damaged",
		"garbage.jpg entry_damaged", "nested.zip nested", "photos.rar nested",
	}
	if !slices.Equal(got, want) {
		t.Errorf("refused\n%q, want\n%q", got, want)
	}
}

func TestLitterIsIgnoredAndCounted(t *testing.T) {
	t.Parallel()
	data := build(t, plain("class/", ""), plain("class/1.jpg", "x"), plain("__MACOSX/class/._1.jpg", "x"),
		plain("class/.DS_Store", "x"), plain("Thumbs.db", "x"), plain("._2.jpg", "x"), plain("desktop.ini", "x"))
	paths, report, err := unpack(t, data, DefaultLimits())
	if err != nil || !slices.Equal(paths, []string{"class/1.jpg"}) || report.Ignored != 6 || len(report.Refused) != 0 {
		t.Errorf("%q, %+v, %v", paths, report, err)
	}
}

func TestBombsAreStoppedByWhatComesOut(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("\x00", 3<<20)
	small := Limits{Files: 3, EntryBytes: 4 << 20, TotalBytes: 5 << 20, Ratio: 100}

	t.Run("ratio", func(t *testing.T) {
		t.Parallel()
		paths, report, err := unpack(t, build(t, plain("bomb.bmp", zeros), plain("good.jpg", "x")), small)
		if err != nil || len(paths) != 1 || len(report.Refused) != 1 || report.Refused[0].Err.Key != "error.zip.ratio" {
			t.Errorf("%q, %+v, %v", paths, report, err)
		}
	})
	t.Run("file too large", func(t *testing.T) {
		t.Parallel()
		limits := small
		limits.EntryBytes = 1 << 20
		paths, report, err := unpack(t, build(t, plain("big.bmp", zeros), plain("good.jpg", "x")), limits)
		if err != nil || len(paths) != 1 || report.Refused[0].Err.Key != "error.zip.entry_too_large" {
			t.Errorf("%q, %+v, %v", paths, report, err)
		}
	})
	t.Run("file larger than it says", func(t *testing.T) {
		t.Parallel()
		data := build(t, plain("liar.bmp", zeros), plain("good.jpg", "x"))
		at := bytes.Index(data, []byte("PK\x01\x02"))
		binary.LittleEndian.PutUint32(data[at+24:], 10) // unpacked size in the directory
		paths, report, err := unpack(t, data, small)
		if err != nil || len(paths) != 1 || report.Refused[0].Err.Key != "error.zip.entry_damaged" {
			t.Errorf("%q, %+v, %v", paths, report, err)
		}
	})
	t.Run("all together too large", func(t *testing.T) {
		t.Parallel()
		limits := small
		limits.Ratio = 100_000
		paths, _, err := unpack(t, build(t, plain("1.bmp", zeros), plain("2.bmp", zeros)), limits)
		if key(err) != "error.zip.too_large" || len(paths) != 1 {
			t.Errorf("%q, %v", paths, err)
		}
	})
	t.Run("too many files", func(t *testing.T) {
		t.Parallel()
		_, report, err := unpack(t, build(t, plain("1", ""), plain("2", ""), plain("3", ""), plain("4", "")), small)
		if key(err) != "error.zip.too_many_files" || report.Read != 0 {
			t.Errorf("%+v, %v", report, err)
		}
	})
	t.Run("directory too long to read", func(t *testing.T) {
		t.Parallel()
		members := make([]member, 5_000)
		for i := range members {
			members[i] = plain(fmt.Sprint(i), "")
		}
		if _, _, err := unpack(t, build(t, members...), small); key(err) != "error.zip.too_many_files" {
			t.Error(err)
		}
	})
}

func TestDamagedArchives(t *testing.T) {
	t.Parallel()
	data := build(t, plain("1.jpg", strings.Repeat("photo", 100)))
	for name, file := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "cut": data[:len(data)/2], "only the end": data[len(data)-22:],
	} {
		if _, _, err := unpack(t, file, DefaultLimits()); key(err) != "error.zip.damaged" {
			t.Errorf("%s: %v", name, err)
		}
	}
	forged := bytes.Clone(data) // the file's place in the directory
	binary.LittleEndian.PutUint32(forged[bytes.Index(forged, []byte("PK\x05\x06"))+16:], 1<<31)
	if paths, _, err := unpack(t, forged, DefaultLimits()); len(paths) > 0 || err != nil && key(err) == "" {
		t.Errorf("forged offset: %q, %v", paths, err)
	}
	if _, report, err := unpack(t, build(t), DefaultLimits()); err != nil || report.Read != 0 {
		t.Errorf("an empty archive: %+v, %v", report, err)
	}
}

// failingReader fails like a disk, from an offset on.
type failingReader struct {
	*bytes.Reader
	broken bool
}

var errDisk = errors.New("disk")

func (f *failingReader) ReadAt(p []byte, at int64) (int, error) {
	if f.broken {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, at)
}

func TestWhatIsNotTheArchivesFaultEndsTheWalk(t *testing.T) {
	t.Parallel()
	data := build(t, plain("1.jpg", "x"), plain("2.jpg", "x"), plain("3.jpg", "x"))

	stop := errors.New("database gone")
	report, err := Walk(t.Context(), bytes.NewReader(data), int64(len(data)), DefaultLimits(), func(e Entry, _ io.Reader) error {
		if e.Name == "2.jpg" {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || report.Read != 1 || len(report.Refused) != 0 {
		t.Errorf("callback: %+v, %v", report, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	_, err = Walk(ctx, bytes.NewReader(data), int64(len(data)), DefaultLimits(), func(_ Entry, r io.Reader) error {
		cancel()
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}

	disk := &failingReader{Reader: bytes.NewReader(data)}
	report, err = Walk(t.Context(), disk, int64(len(data)), DefaultLimits(), func(Entry, io.Reader) error {
		disk.broken = true
		return nil
	})
	if !errors.Is(err, errDisk) || len(report.Refused) != 0 {
		t.Errorf("disk: %+v, %v", report, err)
	}
}

func FuzzWalk(f *testing.F) {
	f.Add(build(f, plain("照片/1.jpg", "x"), undeclared(gbk(f, "照片.jpg")), plain("../x", "x"), plain("z.zip", "PK\x03\x04..")))
	f.Add(build(f, plain("zeros", strings.Repeat("\x00", 10_000))))
	limits := Limits{Files: 20, EntryBytes: 1 << 16, TotalBytes: 1 << 18, Ratio: 50}
	f.Fuzz(func(t *testing.T, data []byte) {
		var total int64
		_, err := Walk(context.Background(), bytes.NewReader(data), int64(len(data)), limits, func(e Entry, r io.Reader) error {
			if !safeName(e.Name) || strings.Contains("/"+e.Folder+"/", "/../") || strings.Contains(e.Name, "/") {
				t.Errorf("handed out folder %q, name %q", e.Folder, e.Name)
			}
			n, err := io.Copy(io.Discard, r)
			if total += n; n > limits.EntryBytes || total > limits.TotalBytes {
				t.Errorf("%d bytes of a file, %d in all", n, total)
			}
			return err
		})
		if err != nil && key(err) == "" {
			t.Errorf("an archive's fault without a message: %v", err)
		}
	})
}
