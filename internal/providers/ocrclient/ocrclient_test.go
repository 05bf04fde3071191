package ocrclient_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/providers/httpcall"
	"huizhi/internal/providers/ocrclient"
	"huizhi/internal/providers/ocrtest"
)

func limits(maxSize int) ocrclient.Limits {
	return ocrclient.Limits{
		MinSide: 15, MaxSide: 1200, GoodSide: 1000, MaxSize: maxSize, Size: func(file []byte) int { return len(file) },
		Formats: []imaging.Format{imaging.JPEG, imaging.PNG},
	}
}

func TestPicturesAreConvertedUntilTheyFit(t *testing.T) {
	t.Parallel()
	picture := ocrtest.PNG(t, 1500, 900)
	for _, size := range []int{2 << 20, 500 << 10, 100 << 10, 8 << 10} {
		fitted, err := ocrclient.Fit(t.Context(), picture, limits(size))
		require.NoError(t, err)
		require.LessOrEqual(t, len(fitted.File), size)
		width, height := ocrtest.Size(t, fitted.File)
		require.LessOrEqual(t, width, 1000)
		require.GreaterOrEqual(t, height, 15)
		require.Equal(t, [2]int{1500, 900}, [2]int{fitted.Width, fitted.Height})
	}
}

func TestAFileThatFitsIsSentUnchangedIfItHoldsNothingButThePicture(t *testing.T) {
	t.Parallel()
	jpeg, png := ocrtest.Picture(t, 300, 200), ocrtest.PNG(t, 300, 200)
	exif := append([]byte("\xff\xd8\xff\xe1\x00\x08Exif\x00\x00"), jpeg[2:]...)
	comment := append([]byte("\xff\xd8\xff\xfe\x00\x06here"), jpeg[2:]...)
	text := slices.Concat(png[:33], []byte("\x00\x00\x00\x04tEXta\x00bc\xb7\x6e\x7f\xe9"), png[33:])
	for name, test := range map[string]struct {
		file      []byte
		unchanged bool
	}{
		"JPEG": {jpeg, true}, "PNG": {png, true}, "JPEG with EXIF": {exif, false}, "JPEG with a comment": {comment, false},
		"PNG with text":            {text, false},
		"JPEG with more behind it": {append(slices.Clone(jpeg), "here"...), false},
		"PNG with more behind it":  {append(slices.Clone(png), "here"...), false},
	} {
		fitted, err := ocrclient.Fit(t.Context(), test.file, limits(1<<20))
		require.NoError(t, err, name)
		require.Equal(t, test.unchanged, bytes.Equal(test.file, fitted.File), name)
		width, height := 300, 200
		if !test.unchanged {
			width, height = ocrtest.Size(t, fitted.File)
		}
		require.Equal(t, [2]int{300, 200}, [2]int{width, height}, name)
	}
	fitted, err := ocrclient.Fit(t.Context(), jpeg, limits(len(jpeg)-1))
	require.NoError(t, err)
	require.Less(t, len(fitted.File), len(jpeg))
}

func TestAVeryLongPictureIsPadded(t *testing.T) {
	t.Parallel()
	fitted, err := ocrclient.Fit(t.Context(), ocrtest.PNG(t, 6500, 65), limits(1<<20))
	require.NoError(t, err)
	width, height := ocrtest.Size(t, fitted.File)
	require.Equal(t, [2]int{1000, 15}, [2]int{width, height})
}

func TestWhatIsNoPictureIsUnreadable(t *testing.T) {
	t.Parallel()
	for _, file := range [][]byte{nil, []byte("%PDF-1.7"), ocrtest.Picture(t, 100, 100)[:300]} {
		_, err := ocrclient.Fit(t.Context(), file, limits(1<<20))
		require.ErrorIs(t, err, ocr.ErrUnreadable)
	}
}

func TestWhoeverDoesNotWaitGetsTheContextsError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, err := ocrclient.New("test", ocrtest.Serve(t, ocrtest.Answer{}).URL, "/ocr", nil)
	require.NoError(t, err)
	_, err = c.Post(ctx, "text/plain", nil)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, ocr.NotCharged, ocr.AsProviderError(err).Charge, "nothing was sent")
}

func TestCropsAreSmallJPEGs(t *testing.T) {
	t.Parallel()
	encoded := base64.StdEncoding.EncodeToString(ocrtest.PNG(t, 900, 30))
	for _, form := range []string{encoded, "data:image/png;base64," + encoded, encoded[:100] + "\r\n" + encoded[100:]} {
		width, _ := ocrtest.Size(t, ocrclient.Crop(t.Context(), ocr.IDNumber, form))
		require.Equal(t, 640, width)
	}
	for _, form := range []string{"", "base64...", "AAAA", encoded[:40]} {
		require.Nil(t, ocrclient.Crop(t.Context(), ocr.IDNumber, form))
	}
}

func TestACallWithoutAnswerMayHaveBeenCharged(t *testing.T) {
	t.Parallel()
	post := func(url string) *ocr.ProviderError {
		c, err := ocrclient.New("test", url, "/ocr", &http.Client{Timeout: 20 * time.Second})
		require.NoError(t, err)
		_, err = c.Post(t.Context(), "text/plain", []byte("x"))
		require.Equal(t, ocr.OutcomeTransport, ocr.AsProviderError(err).Outcome)
		return ocr.AsProviderError(err)
	}
	require.Equal(t, ocr.MaybeCharged, post(ocrtest.Serve(t, ocrtest.Answer{Cut: true}).URL).Charge)

	large := ocrtest.Serve(t, ocrtest.Answer{Body: make([]byte, 16<<20+1)})
	require.ErrorIs(t, post(large.URL).Err, httpcall.ErrTooLarge)

	closed := closedAddress(t)
	require.Equal(t, ocr.NotCharged, post(closed).Charge, "it was not reached")
	c, err := ocrclient.New("test", closed, "/ocr", nil)
	require.NoError(t, err)
	require.ErrorIs(t, c.Reach(t.Context()), ocr.ErrUnavailable)
}

func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return "http://" + l.Addr().String()
}

func TestAnotherServersAnswerIsSortedByItsStatus(t *testing.T) {
	t.Parallel()
	c, err := ocrclient.New("test", "https://ocr.example", "/ocr", nil)
	require.NoError(t, err)
	for status, want := range map[int]ocrclient.Verdict{
		200: {Outcome: ocr.OutcomeTransport, Charge: ocr.MaybeCharged},
		301: {Outcome: ocr.OutcomeAccount},
		403: {Outcome: ocr.OutcomeAccount},
		404: {Outcome: ocr.OutcomeAccount},
		413: {Outcome: ocr.OutcomeInput},
		429: {Outcome: ocr.OutcomeThrottled},
		500: {Outcome: ocr.OutcomeServer, Charge: ocr.MaybeCharged},
		504: {Outcome: ocr.OutcomeServer, Charge: ocr.MaybeCharged},
	} {
		e := c.NotUnderstood(&httpcall.Answer{Status: status})
		require.Equal(t, want, ocrclient.Verdict{Outcome: e.Outcome, Charge: e.Charge}, status)
	}
}

func TestOnlyANetworkIsInsecure(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"http://ocr.example": true, "http://192.168.1.5:40072": true, "https://ocr.example": false,
		"http://127.0.0.1:8080": false, "http://[::1]:8080": false, "http://localhost": false,
	} {
		c, err := ocrclient.New("test", url, "/ocr", nil)
		require.NoError(t, err)
		require.Equal(t, want, c.Insecure(), url)
	}
}
