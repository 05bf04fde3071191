package roster_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"huizhi/internal/auth"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/i18n"
	"huizhi/internal/idnumber"
	"huizhi/internal/roster"
	"huizhi/internal/roster/sheet"
	"huizhi/internal/tenants"
)

// office is a school's office with an empty roster. Jobs are not worked: a test
// checks and applies itself.
type office struct {
	*roster.Service
	t      testing.TB
	sc     tenants.Scope
	user   string
	roster *roster.Roster
}

type noJobs struct{}

func (noJobs) EnqueueTx(context.Context, bun.Tx, ...river.JobArgs) error { return nil }

func newOffice(t testing.TB, d *db.DB) *office {
	t.Helper()
	ctx := context.Background()
	blobs, err := blob.Open(ctx, "mem://")
	require.NoError(t, err)
	id, err := auth.NewService(d).SignUp(ctx, auth.SignUp{TenantName: "阳光小学", Kind: tenants.KindSchool, Name: "李敏",
		Email: db.NewID() + "@example.com", Password: "correct horse"}, db.Now())
	require.NoError(t, err)
	o := &office{Service: roster.New(roster.Config{DB: d, Blobs: blobs, Jobs: noJobs{}}), t: t, sc: id.Scope(), user: id.User.ID}
	o.roster, err = o.Create(ctx, o.sc, "2026 秋", o.user)
	require.NoError(t, err)
	return o
}

func eachOffice(t *testing.T, test func(t *testing.T, o *office)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newOffice(t, d)) })
}

// check takes in a table and compares it.
func (o *office) check(table string) *roster.Import {
	o.t.Helper()
	ctx := context.Background()
	im, err := o.Start(ctx, o.sc, o.roster.ID, "名单.csv", strings.NewReader(table), o.user)
	require.NoError(o.t, err)
	return o.compare(im.ID)
}

func (o *office) compare(id string) *roster.Import {
	o.t.Helper()
	ctx := context.Background()
	require.NoError(o.t, o.Check(ctx, o.sc, id))
	im, err := o.Import(ctx, o.sc, id)
	require.NoError(o.t, err)
	return im
}

// take takes in a table and applies it.
func (o *office) take(table string) *roster.Import {
	o.t.Helper()
	ctx := context.Background()
	im := o.check(table)
	require.NoError(o.t, o.Agree(ctx, o.sc, im.ID, o.user))
	require.NoError(o.t, o.Apply(ctx, o.sc, im.ID))
	im, err := o.Import(ctx, o.sc, im.ID)
	require.NoError(o.t, err)
	require.Equal(o.t, roster.Applied, im.State)
	return im
}

// people are the roster's people in its order, as "class name id student sex".
func (o *office) people() []string {
	o.t.Helper()
	list, err := o.People(context.Background(), o.sc, o.roster.ID, roster.Filter{}, "", 1000)
	require.NoError(o.t, err)
	var out []string
	for _, p := range list {
		out = append(out, strings.Join([]string{p.Grade, p.Class, p.Name, p.IDNumber, p.StudentNumber, p.Sex}, " "))
	}
	r, err := o.Get(context.Background(), o.sc, o.roster.ID)
	require.NoError(o.t, err)
	require.EqualValues(o.t, len(list), r.People)
	return out
}

// refused are the refused rows of an import, as "4 id_number roster.issue.damaged".
func (o *office) refused(im *roster.Import) []string {
	o.t.Helper()
	rows, err := o.Rows(context.Background(), o.sc, im.ID, roster.Refused, 0, 100)
	require.NoError(o.t, err)
	var out []string
	for _, r := range rows {
		for _, is := range r.Issues {
			text := fmt.Sprintf("%d %s %s", r.Row, is.Field, strings.TrimPrefix(is.Key, "roster.issue."))
			if is.Row > 0 {
				text += fmt.Sprintf(" as %d", is.Row)
			}
			out = append(out, text)
			require.True(o.t, i18n.Has(is.Key), is.Key)
		}
	}
	return out
}

// number is a valid ID number of a girl, or a boy for odd n.
func number(n int) string {
	s := fmt.Sprintf("11010120150307%03d", n)
	return s + string(idnumber.CheckDigit(s))
}

func TestATableBecomesARoster(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(t *testing.T, o *office) {
		im := o.check("阳光小学学生名单\n\n年级,班级,姓 名,身份证件号,学籍号,性别,备注\n十年级,2班,韩梅梅," + number(2) + ",20260002,女,x\n" +
			"二年级,10班,李雷, " + number(1) + " ,20260001,男,\n二年级,9班,买买提・吐尔逊,,20260003,男,\n")
		require.Equal(t, roster.Checked, im.State)
		require.Equal(t, 3, im.HeaderRow)
		require.Equal(t, roster.Counts{Added: 3}, im.Counts)
		require.Empty(t, o.people(), "nothing is written before somebody agrees")
		require.NoError(t, o.Agree(context.Background(), o.sc, im.ID, o.user))
		require.NoError(t, o.Apply(context.Background(), o.sc, im.ID))
		require.Equal(t, []string{
			"二年级 9班 买买提·吐尔逊  20260003 男", "二年级 10班 李雷 " + number(1) + " 20260001 男", "十年级 2班 韩梅梅 " + number(2) + " 20260002 女",
		}, o.people(), "as people count, not as characters sort")
		classes, err := o.Classes(context.Background(), o.sc, o.roster.ID)
		require.NoError(t, err)
		require.Equal(t, []roster.ClassCount{{"二年级", "9班", 1}, {"二年级", "10班", 1}, {"十年级", "2班", 1}}, classes)
	})
}

func TestBadRowsAreRefusedAndTheGoodRestGoesOn(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(t *testing.T, o *office) {
		other := []byte(number(4))
		other[17] = map[bool]byte{true: '1', false: '2'}[other[17] == '2']
		im := o.check("姓名,身份证号,学号,班级,性别\n" +
			"李雷," + number(1) + ",1,1班,男\n" + // 2
			"韩梅梅,1.10101201503070E+17,2,1班,女\n" + // 3
			"王芳,110101201503070000,3,1班,\n" + // 4
			"赵云," + string(other) + ",4,1班,\n" + // 5
			",,5,1班,男\n" + // 6
			"钱一," + number(6) + ",6,1班,男\n" + // 7: the number is a girl's
			"孙二,110101150307001,7,1班,男\n" + // 8
			"李四,H12345678,8,1班,男\n" + // 9
			"周五," + number(9) + ",9,1班,男\n" + // 10
			"吴六," + number(9) + ",10,1班,男\n" + // 11: the same number
			"郑七,,11,1班,男\n" + // 12
			"郑八,,11,1班,男\n" + // 13: the same student number in one class
			"郑八,,11,2班,男\n" + // 14: in another class it is another number
			"李雷," + number(1) + ",1,1班,男\n" + // 15: once more the same
			"冯九,,,3班,\n" + // 16
			"冯九,,,3班,\n" + // 17
			"陈十,,12,3班,不详\n") // 18
		require.Equal(t, []string{
			"3 id_number damaged", "4 id_number damaged", "5 id_number check_digit", "6 name name_missing", "7 sex sex_differs", "8 id_number fifteen", "9 id_number not_a_number",
			"10 id_number same_number as 11", "11 id_number same_number as 10", "12 student_number same_student_number as 13", "13 student_number same_student_number as 12",
			"15  repeated as 2", "17  repeated as 16", "18 sex sex_unknown",
		}, o.refused(im))
		require.Equal(t, roster.Counts{Added: 3, Refused: 14}, im.Counts)
		require.NoError(t, o.Agree(context.Background(), o.sc, im.ID, o.user))
		require.NoError(t, o.Apply(context.Background(), o.sc, im.ID))
		require.Len(t, o.people(), 3)
	})
}

func TestASecondImportShowsWhatDiffersAndDeletesNobody(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		o.take("姓名,身份证号,学号,班级\n李雷," + number(1) + ",20260001,1班\n韩梅梅,,20260002,1班\n王芳,,20260003,1班\n赵云,,,2班\n")
		im := o.check("姓名,身份证号,学号,班级,性别\n李雷," + number(1) + ",20260001,2班,男\n韩梅梅," + number(2) + ",20260002,1班,\n赵云,,,2班,\n钱一,,20260009,2班,\n")
		require.Equal(t, roster.Counts{Added: 1, Changed: 2, Same: 1, Missing: 1}, im.Counts)
		changed, err := o.Rows(ctx, o.sc, im.ID, roster.Changed, 0, 10)
		require.NoError(t, err)
		require.Equal(t, "1班", changed[0].Former.Class)
		require.Equal(t, roster.Values{Name: "李雷", IDNumber: number(1), StudentNumber: "20260001", Class: "2班", Sex: "男"}, changed[0].Values)
		gone, err := o.Missing(ctx, o.sc, im, "", 10)
		require.NoError(t, err)
		require.Equal(t, "王芳", gone[0].Name)
		require.NoError(t, o.Agree(ctx, o.sc, im.ID, o.user))
		require.NoError(t, o.Apply(ctx, o.sc, im.ID))
		require.NoError(t, o.Apply(ctx, o.sc, im.ID), "a job may run twice")
		require.Len(t, o.people(), 5)
		require.Contains(t, o.people(), " 1班 王芳  20260003 ")
	})
}

func TestTheSameTableOnceMoreChangesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, dbtest.SQLite(t))
	table := "姓名,身份证号,学号,班级,性别\n李雷," + number(1) + ",1,1班,男\n韩梅梅,,2,1班,女\n赵云,,,2班,\n"
	o.take(table)
	im := o.check(table)
	require.Equal(t, roster.Counts{Same: 3}, im.Counts, "%v", o.refused(im))
	require.ErrorContains(t, o.Agree(context.Background(), o.sc, im.ID, o.user), "not_waiting", "there is nothing to write")
}

func TestWhatAPersonSetByHandStays(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		o.take("姓名,学号,班级\n李磊,20260001,1班\n韩梅梅,20260002,1班\n")
		list, err := o.People(ctx, o.sc, o.roster.ID, roster.Filter{Text: "李"}, "", 10)
		require.NoError(t, err)
		corrected := list[0].Values
		corrected.Name = "李雷"
		_, err = o.Edit(ctx, o.sc, list[0].ID, corrected, o.user)
		require.NoError(t, err)

		im := o.check("姓名,学号,班级\n李磊,20260001,2班\n韩梅梅,20260002,1班\n")
		require.Equal(t, roster.Counts{Changed: 1, Same: 1}, im.Counts)
		rows, err := o.Rows(ctx, o.sc, im.ID, roster.Changed, 0, 10)
		require.NoError(t, err)
		require.Equal(t, []roster.Issue{{Field: roster.Name, Key: "roster.issue.kept_by_hand"}}, rows[0].Issues)
		corrected.StudentNumber = "20260002"
		_, err = o.Edit(ctx, o.sc, list[0].ID, corrected, o.user)
		require.ErrorContains(t, err, "student_number_taken")

		corrected.StudentNumber, corrected.Sex = "20260001", "男"
		_, err = o.Edit(ctx, o.sc, list[0].ID, corrected, o.user)
		require.NoError(t, err)
		require.ErrorContains(t, o.Agree(ctx, o.sc, im.ID, o.user), "changed_meanwhile", "nobody agrees to what was not shown")
		im = o.compare(im.ID)
		require.NoError(t, o.Agree(ctx, o.sc, im.ID, o.user))
		require.NoError(t, o.Apply(ctx, o.sc, im.ID))
		require.Equal(t, []string{" 1班 韩梅梅  20260002 ", " 2班 李雷  20260001 男"}, o.people())
	})
}

func TestColumnsAreChosenAndRemembered(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		table := "孩子,小队,内部编码\n李雷,红,77001\n韩梅梅,蓝,77002\n"
		im := o.check(table)
		require.Equal(t, []roster.Column{{"孩子", roster.Name, []string{"李雷", "韩梅梅"}}, {"小队", "", []string{"红", "蓝"}}, {"内部编码", "", []string{"77001", "77002"}}}, im.Columns)
		require.ErrorContains(t, o.SetColumns(ctx, o.sc, im.ID, []roster.Field{roster.Name, roster.Name, ""}), "column_twice")
		require.NoError(t, o.SetColumns(ctx, o.sc, im.ID, []roster.Field{roster.Name, roster.Class, roster.StudentNumber}))
		im = o.compare(im.ID)
		require.Equal(t, roster.Counts{Added: 2}, im.Counts)
		require.NoError(t, o.Drop(ctx, o.sc, im.ID))

		again := o.check(table)
		require.Equal(t, roster.Class, again.Columns[1].Field)
		require.Equal(t, roster.StudentNumber, again.Columns[2].Field)
		stranger := newOffice(t, o.DB)
		require.Empty(t, stranger.check(table).Columns[1].Field, "what one tenant says is no other's")
	})
}

func TestTwoHeaderRowsAndTablesWithoutOne(t *testing.T) {
	t.Parallel()
	o := newOffice(t, dbtest.SQLite(t))
	im := o.check("学生,,学校,\n姓名,学号,年级,班级\n李雷,20260001,三年级,2班\n")
	require.Equal(t, 2, im.HeaderRow)
	require.Equal(t, roster.Counts{Added: 1}, im.Counts)
	im = o.check("姓名,身份,班级,\n,证件号码,,\n李雷," + number(1) + ",1班\n")
	require.Equal(t, roster.Counts{Added: 1}, im.Counts)
	im = o.check("李雷\t" + number(1) + "\t男\t三(2)班\n韩梅梅\t" + number(2) + "\t女\t三(2)班\n")
	require.Zero(t, im.HeaderRow)
	require.Equal(t, roster.Counts{Added: 2}, im.Counts)
	im = o.check("1\n2\n")
	require.Equal(t, roster.Checked, im.State)
	require.Zero(t, im.Counts.Rows(), "without names nobody is imported")
}

func TestAFileThatIsNoTableSaysWhatToDo(t *testing.T) {
	t.Parallel()
	o := newOffice(t, dbtest.SQLite(t))
	im := o.check("<html><table><tr><td>李雷")
	require.Equal(t, roster.Failed, im.State)
	require.Equal(t, "error.roster.html", im.ProblemKey)
}

func TestGB18030(t *testing.T) {
	t.Parallel()
	o := newOffice(t, dbtest.SQLite(t))
	table, err := simplifiedchinese.GB18030.NewEncoder().String("姓名,班级\n䶮龑,一班\n")
	require.NoError(t, err)
	im := o.take(table)
	require.Equal(t, string(sheet.GB18030), im.Format)
	require.Equal(t, []string{" 一班 䶮龑   "}, o.people())
}

// The template that people download takes every digit that is typed into it.
func TestTheTemplateKeepsDigits(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		o := newOffice(t, dbtest.SQLite(t))
		ctx := i18n.WithLang(context.Background(), lang)
		var buf bytes.Buffer
		require.NoError(t, roster.WriteTemplate(ctx, &buf))
		f, err := excelize.OpenReader(&buf)
		require.NoError(t, err)
		name := f.GetSheetName(0)
		style, err := f.GetColStyle(name, "B")
		require.NoError(t, err)
		s, err := f.GetStyle(style)
		require.NoError(t, err)
		require.Equal(t, 49, s.NumFmt, "the column of the ID numbers is text")
		for i, v := range []string{"李雷", number(1), "007", "三年级", "2班", "男"} {
			cell, _ := excelize.CoordinatesToCellName(i+1, 2)
			require.NoError(t, f.SetCellStr(name, cell, v))
		}
		var filled bytes.Buffer
		require.NoError(t, f.Write(&filled))
		im, err := o.Start(ctx, o.sc, o.roster.ID, "模板.xlsx", &filled, o.user)
		require.NoError(t, err)
		im = o.compare(im.ID)
		require.Equal(t, roster.Counts{Added: 1}, im.Counts)
		rows, err := o.Rows(ctx, o.sc, im.ID, roster.Added, 0, 1)
		require.NoError(t, err)
		require.Equal(t, roster.Values{Name: "李雷", IDNumber: number(1), StudentNumber: "007", Grade: "三年级", Class: "2班", Sex: "男"}, rows[0].Values)
	}
}

func TestAnotherTenantsRosterDoesNotExist(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	mine, other := newOffice(t, d), newOffice(t, d)
	im := mine.check("姓名\n李雷\n")
	_, err := mine.Start(context.Background(), other.sc, mine.roster.ID, "x", io.LimitReader(strings.NewReader(""), 0), other.user)
	require.ErrorContains(t, err, "error.roster.not_found")
	require.ErrorContains(t, other.Agree(context.Background(), other.sc, im.ID, other.user), "import_not_found")
	rows, err := other.Rows(context.Background(), other.sc, im.ID, roster.Added, 0, 10)
	require.NoError(t, err)
	require.Empty(t, rows)
}

// Taking in a table takes time in proportion to its rows: compare the figures.
func BenchmarkImport(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		for _, n := range []int{5_000, 50_000} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				o := newOffice(b, open(b))
				book := bookOf(b, n)
				ctx := context.Background()
				for b.Loop() {
					r, err := o.Create(ctx, o.sc, "名单", o.user)
					require.NoError(b, err)
					im, err := o.Start(ctx, o.sc, r.ID, "名单.xlsx", bytes.NewReader(book), o.user)
					require.NoError(b, err)
					require.EqualValues(b, n, o.compare(im.ID).Counts.Added)
					require.NoError(b, o.Agree(ctx, o.sc, im.ID, o.user))
					require.NoError(b, o.Apply(ctx, o.sc, im.ID))
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// bookOf is a workbook of n people.
func bookOf(t testing.TB, n int) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	require.NoError(t, err)
	require.NoError(t, w.SetRow("A1", []any{"姓名", "身份证号", "学号", "年级", "班级"}))
	given := []rune("雷梅芳云飞燕明华强丽")
	for i := range n {
		s := fmt.Sprintf("1101012%03d0307%03d", 10+i/1000, i%1000)
		name := "李" + string([]rune{given[i%10], given[i/10%10]})
		require.NoError(t, w.SetRow(fmt.Sprint("A", i+2), []any{name, s + string(idnumber.CheckDigit(s)), fmt.Sprint(20260000 + i), fmt.Sprint(i/400, "年级"), fmt.Sprint(i/40, "班")}))
	}
	require.NoError(t, w.Flush())
	var buf bytes.Buffer
	require.NoError(t, f.Write(&buf))
	return slices.Clip(buf.Bytes())
}
