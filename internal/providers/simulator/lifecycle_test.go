package simulator_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"huizhi/internal/providers/providertest"
	"huizhi/internal/providers/simulator"
)

func TestCompletionCostsPointsAndGivesTheReceipt(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Points: 1000})
	no := submit(t, s, map[string]any{"id_photo_url": providertest.ServePhoto(t, 1000, 1300), "receipt_type_id": 15})
	d := waitFor(t, s, no, "completed", "failed")
	if d["status"] != "completed" || d["result_message"] != "办理完成" || s.Balance() != 500 {
		t.Fatalf("%v %v, balance %d", d["status"], d["result_message"], s.Balance())
	}
	photo := download(t, d["standard_photo_url"], http.StatusOK)
	if size, format, err := image.DecodeConfig(bytes.NewReader(photo)); err != nil || format != "jpeg" || size.Width != 358 || size.Height != 441 {
		t.Errorf("standard photo: %s of %dx%d, %v", format, size.Width, size.Height, err)
	}
	receipt := download(t, d["result_url"], http.StatusOK)
	if !bytes.HasPrefix(receipt, []byte("%PDF-")) || len(receipt) < 10_000 {
		t.Errorf("the receipt is %d bytes, beginning with %.8q", len(receipt), receipt)
	}
	if !bytes.Equal(receipt, download(t, d["result_url"], http.StatusOK)) {
		t.Error("the receipt is another one the second time")
	}
	download(t, strings.Replace(d["result_url"].(string), "/files/", "/files/A", 1), http.StatusNotFound)
}

func download(t *testing.T, address any, status int) []byte {
	t.Helper()
	res, err := http.Get(address.(string))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		t.Fatalf("HTTP %d, %v", res.StatusCode, err)
	}
	return content
}

func TestGreyPhotoBecomesAnRGBStandardPhoto(t *testing.T) {
	t.Parallel()
	grey := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		jpeg.Encode(w, image.NewGray(image.Rect(0, 0, 358, 441)), nil)
	})
	s := start(t, simulator.Config{})
	d := waitFor(t, s, submit(t, s, map[string]any{"id_photo_url": grey}), "completed", "failed")
	config, _, err := image.DecodeConfig(bytes.NewReader(download(t, d["standard_photo_url"], http.StatusOK)))
	if err != nil || config.ColorModel != color.YCbCrModel {
		t.Errorf("%v, %v", d["status"], err)
	}
}

func TestFailuresTellTheirReasonAndCostNothing(t *testing.T) {
	t.Parallel()
	page := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>not a photo") })
	huge := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 20<<20+1)) })
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		photo := providertest.Photo(358, 441)
		w.Write(photo[:len(photo)/2])
	})
	bomb := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(pngHeader(20_000, 3_000)) })
	around := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	gone := serve(t, http.NotFound)
	good := providertest.ServePhoto(t, 358, 441)

	s := start(t, simulator.Config{Points: 500})
	for name, c := range map[string]struct {
		photo, city, message string
	}{
		"gone":      {gone, "", "证件照下载失败,请检查图片链接"},
		"in circle": {around, "", "证件照下载失败,请检查图片链接"},
		"no URL":    {"photo.jpg", "", "证件照下载失败,请检查图片链接"},
		"page":      {page, "", "证件照格式不支持,请使用JPG或PNG格式"},
		"huge":      {huge, "", "证件照文件过大"},
		"cut":       {cut, "", "证件照文件已损坏"},
		"bomb":      {bomb, "", "证件照分辨率过高"},
		"small":     {providertest.ServePhoto(t, 180, 221), "", "照片分辨率不足"},
		"wide":      {providertest.ServePhoto(t, 640, 480), "", "照片宽高比例不符合要求"},
		"city":      {good, "湖南省,长沙市", "该办证地区暂不支持办理此回执"},
		"comma":     {good, "广东省，深圳市", "该办证地区暂不支持办理此回执"},
	} {
		change := map[string]any{"id_photo_url": c.photo}
		if c.city != "" {
			change["custom_fields"] = map[string]any{"city": c.city}
		}
		d := waitFor(t, s, submit(t, s, change), "completed", "failed")
		if d["status"] != "failed" || d["result_message"] != c.message || d["result_url"] != nil || d["image_code"] != nil {
			t.Errorf("%s: %v", name, d)
		}
	}
	if s.Balance() != 500 {
		t.Errorf("balance %d", s.Balance())
	}
}

// pngHeader is the beginning of a PNG that claims to have the given size.
func pngHeader(width, height uint32) []byte {
	header := []byte("IHDR")
	header = binary.BigEndian.AppendUint32(header, width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, 8, 2, 0, 0, 0) // 8 bits a channel, RGB
	file := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	return binary.BigEndian.AppendUint32(append(file, header...), crc32.ChecksumIEEE(header))
}

func TestBalanceMayGoBelowZeroAndBeToppedUp(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Points: 500})
	photo := providertest.ServePhoto(t, 358, 441)
	both := []string{submit(t, s, map[string]any{"id_photo_url": photo}), submit(t, s, map[string]any{"id_photo_url": photo})}
	for _, no := range both {
		waitFor(t, s, no, "completed")
	}
	if got := post(t, s, "/submit", body(nil)); got.Code != 1013 || s.Balance() != -500 {
		t.Errorf("code %d at balance %d", got.Code, s.Balance())
	}
	if err := s.AddPoints(1000); err != nil {
		t.Fatal(err)
	}
	submit(t, s, nil)
}

func TestSimulatedApplicationsFetchNothingAndCostNothing(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Points: 500})
	for _, result := range []string{"completed", "failed", "processing", "submitted", "pending"} {
		d := waitFor(t, s, submit(t, s, map[string]any{"simulate": true, "simulate_result": result}), result)
		if (d["result_url"] != nil) != (result == "completed") {
			t.Errorf("%s: result_url %v", result, d["result_url"])
		}
		if result == "completed" {
			download(t, d["result_url"], http.StatusOK)
			download(t, d["standard_photo_url"], http.StatusOK)
		}
	}
	if got := s.Stats().PhotosFetched; got != 0 || s.Balance() != 500 {
		t.Errorf("%d photos fetched, balance %d", got, s.Balance())
	}
}

func TestStandardPhotoHasTheSizeOfItsType(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	for typeID, want := range map[int]image.Point{2: {390, 567}, 8: {295, 413}, 9: {352, 440}, 14: {413, 626}} {
		d := waitFor(t, s, submit(t, s, map[string]any{"receipt_type_id": typeID, "simulate": true}), "completed")
		size, _, err := image.DecodeConfig(bytes.NewReader(download(t, d["standard_photo_url"], http.StatusOK)))
		if err != nil || size.Width != want.X || size.Height != want.Y {
			t.Errorf("type %s: %dx%d, %v", strconv.Itoa(typeID), size.Width, size.Height, err)
		}
	}
}
