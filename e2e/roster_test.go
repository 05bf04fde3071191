package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/idnumber"
)

// A school brings a roster of 300 in a workbook, one row of which a spreadsheet
// has damaged; its photos find their people by name and number, and what fits two
// people is chosen by hand.
func TestSchool(t *testing.T) {
	site := startSite(t, dbtest.SQLiteURL(t), nil)
	b := open(t, site.URL, "zh-CN", 1440, 900)
	b.goTo("/signup")
	b.fill("#signup [name=tenant_name]", "护理学校")
	b.fill("#signup [name=name]", "李敏")
	b.fill("#signup [name=email]", db.NewID()+"@example.com")
	b.fill("#signup [name=password]", "correct horse")
	b.click("#signup button[type=submit]")
	b.until("signed in", `location.pathname === "/"`)

	b.goTo("/rosters")
	b.fill("form[action='/rosters'] [name=name]", "护理三年级")
	b.click("form[action='/rosters'] button")
	b.see("#file")
	b.do("pick the workbook", chromedp.SetUploadFiles("#file", []string{schoolBook(t)}, chromedp.ByQuery))
	b.click("form[enctype] button[type=submit]")
	b.until("the preview names the damaged row", `document.querySelector('#preview table') && document.querySelector('#preview table').innerText.includes("Excel")`)
	b.picture("roster-preview-zh-CN")
	b.click("[form=apply]")
	b.until("all but one are taken in", `document.querySelector('#preview .s-done') && document.querySelector('#preview').innerText.includes("299")`)
	b.click("#preview a[href^='/rosters/']")
	b.until("the tree counts", `document.querySelectorAll('#people tbody tr').length === 50 && document.querySelector('nav a[href*="class="]')`)
	b.picture("roster-zh-CN")

	b.goTo("/batches/new")
	b.do("choose the residence permit", chromedp.Evaluate(`document.querySelector('input[name=type][value="4"]').click()`, nil))
	b.until("the cities are those of the type", `document.querySelector('#cities option[value="广东省,深圳市"]') && document.querySelectorAll('#cities option[value*=","]').length === 1`)
	b.do("choose city and roster", chromedp.SetValue("select[name=city]", "广东省,深圳市", chromedp.ByQuery),
		chromedp.Evaluate(`document.querySelector("select[name=roster]").selectedIndex = 1`, nil))
	b.click("#new-batch button[type=submit]")
	b.until("the uploader is ready", `document.querySelector('[data-with-script]') && !document.querySelector('[data-with-script][hidden]')`)
	batch := eval[string](b, "location.pathname")
	b.do("pick the photos", chromedp.SetUploadFiles("[data-pick=files]", schoolPhotos(t), chromedp.ByQuery))
	b.until("three found their people, one waits for a choice", `document.querySelector("#roster") && document.querySelector("#roster").innerText.includes("已配 3") && document.querySelector("#roster").innerText.includes("1 张待选")`)
	b.picture("roster-batch-zh-CN")

	b.goTo(batch + "/matching")
	b.fill("#main input[type=search]", "20260002")
	b.until("somebody is found", `document.querySelector('[id^="f-"] form[action$="/match"] button')`)
	b.picture("roster-matching-zh-CN")
	b.click(`[id^="f-"] form[action$="/match"] button`)
	b.until("the photo has its person, and a way back", `document.querySelector('form[action$="/unmatch"] button')`)
	b.goTo(batch + "/review/grid")
	b.until("the numbers are filled in", `document.querySelectorAll("form[data-row]").length === 4 && [...document.querySelectorAll("form[data-row] [name=id_number]")].every(i => i.value.length === 18)`)
	b.requireClean()
}

// schoolBook is a workbook of 300 pupils; the last one's ID number was typed into
// a numeric cell.
func schoolBook(t *testing.T) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	require.NoError(t, err)
	require.NoError(t, w.SetRow("A1", []any{"护理学校学生名单"}))
	require.NoError(t, w.SetRow("A2", []any{"班级", "姓名", "身份证号", "学号"}))
	known := []string{"欧阳翀", "刘思佳", "刘思佳", "陈静", "苏晨"}
	surnames, given := []rune("王张杨赵吴徐孙马朱胡"), []rune("明强丽军杰娜磊敏洋艳")
	for i := range 300 {
		name := string([]rune{surnames[i%10], given[i/10%10], given[i/100]})
		if i < len(known) {
			name = known[i]
		}
		s := fmt.Sprintf("11010120050307%03d", i)
		var number any = s + string(idnumber.CheckDigit(s))
		if i == 299 {
			number = 110101200503072990
		}
		require.NoError(t, w.SetRow(fmt.Sprint("A", i+3), []any{fmt.Sprintf("护理三(%d)班", 1+i%10), name, number, fmt.Sprint(20260000 + i)}))
	}
	require.NoError(t, w.Flush())
	file := filepath.Join(t.TempDir(), "名单.xlsx")
	require.NoError(t, f.SaveAs(file))
	return file
}

// schoolPhotos are portraits called by name or number, without folders.
func schoolPhotos(t *testing.T) []string {
	t.Helper()
	files, _ := unpackSample(t)
	var out []string
	for _, file := range files {
		switch filepath.Base(file) {
		case "欧阳翀.jpg", "陈静.jpg", "刘思佳.jpg":
			out = append(out, file)
		case "苏晨.jpg":
			numbered := filepath.Join(filepath.Dir(file), "20260004.jpg")
			require.NoError(t, os.Rename(file, numbered))
			out = append(out, numbered)
		}
	}
	require.Len(t, out, 4)
	return out
}
