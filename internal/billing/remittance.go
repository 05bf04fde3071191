package billing

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Remittance is a payment as a bank statement tells of it.
type Remittance struct {
	Text      string // the line as it was pasted
	Fen       int64
	Day       string // "2026-11-20", "" when the line names none
	Payer     string
	Reference string // the bank's number of the payment, "" when there is none
	Note      string // 附言, 摘要: what the payer wrote, and whatever else the line holds
}

// The columns of a bank statement. Banks call them differently.
type column int

const (
	columnOther column = iota
	columnDay
	columnIn
	columnOut
	columnPayer
	columnReference
	columnNote
)

// headings are words of column headings, the first that is found decides.
var headings = []struct {
	word string
	is   column
}{
	{"借方", columnOut}, {"支出", columnOut}, {"余额", columnOther}, {"账号", columnOther}, {"帐号", columnOther}, {"开户行", columnOther}, {"balance", columnOther}, {"debit", columnOut},
	{"户名", columnPayer}, {"付款人", columnPayer}, {"付款方", columnPayer}, {"对方名称", columnPayer}, {"payer", columnPayer},
	{"流水", columnReference}, {"凭证", columnReference}, {"交易号", columnReference}, {"reference", columnReference},
	{"附言", columnNote}, {"摘要", columnNote}, {"用途", columnNote}, {"备注", columnNote}, {"note", columnNote}, {"memo", columnNote},
	{"日期", columnDay}, {"时间", columnDay}, {"date", columnDay},
	{"贷方", columnIn}, {"收入", columnIn}, {"金额", columnIn}, {"amount", columnIn}, {"credit", columnIn},
}

// ParseRemittances reads what was pasted from a bank statement or a bank's
// message: a payment a line, its columns parted by tabs, commas, bars or wide
// gaps. A line of headings says what the columns are; without one they are known
// by their looks. Lines without an amount are returned as unread. At most max
// lines are read.
func ParseRemittances(text string, limit int) (read []Remittance, unread []string) {
	var columns []column
	for line := range strings.Lines(strings.ToValidUTF8(text, "")) {
		line = strings.Trim(line, "\uFEFF\r\n ")
		if strings.TrimSpace(line) == "" {
			continue
		}
		cells := splitCells(line)
		if found := headingsOf(cells); found != nil {
			columns = found
			continue
		}
		if len(read)+len(unread) >= limit {
			unread = append(unread, line)
			continue
		}
		var r Remittance
		if len(columns) > 0 && len(cells) == len(columns) {
			r = byHeadings(cells, columns)
		} else {
			r = byLooks(cells)
		}
		if r.Text = line; r.Fen <= 0 {
			unread = append(unread, line)
			continue
		}
		read = append(read, r)
	}
	return read, unread
}

// gaps part the columns of what was not made by a program.
var gaps = regexp.MustCompile(`\s{2,}|\s*[|;；]\s*`)

// thousands is an amount with commas in it, which part nothing. What stands
// before it is no part of a number or a day.
var thousands = regexp.MustCompile(`(?:^|[\s¥￥+,，"])\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?\b`)

// splitCells cuts a line into its columns.
func splitCells(line string) []string {
	var parts []string
	switch {
	case strings.Contains(line, "\t"):
		parts = strings.Split(line, "\t")
	case gaps.MatchString(line):
		parts = gaps.Split(line, -1)
	default:
		line = thousands.ReplaceAllStringFunc(line, func(amount string) string {
			return amount[:1] + strings.ReplaceAll(amount[1:], ",", "")
		})
		parts = strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(",，、", r) })
		if len(parts) == 1 {
			parts = strings.Fields(line)
		}
	}
	for i := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(parts[i]), `"'`)
	}
	return parts
}

// headingsOf reads a line of headings; nil for any other line. It names an
// amount and holds no digit.
func headingsOf(cells []string) []column {
	out := make([]column, len(cells))
	amount := false
	for i, cell := range cells {
		if strings.ContainsFunc(cell, unicode.IsDigit) {
			return nil
		}
		for _, h := range headings {
			if strings.Contains(strings.ToLower(cell), h.word) {
				out[i] = h.is
				break
			}
		}
		amount = amount || out[i] == columnIn
	}
	if !amount {
		return nil
	}
	return out
}

func byHeadings(cells []string, columns []column) (r Remittance) {
	var notes []string
	for i, cell := range cells {
		switch columns[i] {
		case columnIn:
			if fen, ok := statementFen(cell); ok {
				r.Fen = max(r.Fen, fen)
			}
		case columnDay:
			if day, ok := statementDay(cell); ok {
				r.Day = day
			}
		case columnPayer:
			r.Payer = cell
		case columnReference:
			r.Reference = cell
		case columnNote:
			notes = append(notes, cell)
		}
	}
	r.Note = strings.TrimSpace(strings.Join(notes, " "))
	return r
}

// byLooks finds out what each cell is: the amount has two decimals or a sign of
// currency, the number is the longest run of digits and letters, the payer is
// the first of the longest Chinese texts that end like a company, or else the
// longest text.
func byLooks(cells []string) (r Remittance) {
	var texts []string
	plain := int64(0) // an amount without decimals, if nothing better is found
	for _, cell := range cells {
		switch is, value := labelled(cell); is {
		case columnPayer:
			r.Payer = value
			continue
		case columnReference:
			r.Reference = value
			continue
		case columnNote:
			r.Note = strings.TrimSpace(r.Note + " " + value)
			continue
		case columnIn:
			cell = "¥" + value
		case columnDay:
			cell = value
		}
		if day, ok := statementDay(cell); ok && r.Day == "" {
			r.Day = day
		} else if fen, ok := statementFen(cell); ok && (strings.ContainsAny(cell, ".¥￥") || strings.HasSuffix(cell, "元")) {
			if r.Fen == 0 {
				r.Fen = fen // the balance comes after the amount
			}
		} else if ok && plain == 0 && len(cell) < 8 {
			plain = fen
		} else if number.MatchString(cell) && !ourNumber.MatchString(strings.ToUpper(cell)) {
			if len(cell) > len(r.Reference) {
				r.Reference = cell
			}
		} else if cell != "" {
			texts = append(texts, cell)
		}
	}
	if r.Fen == 0 {
		r.Fen = plain
	}
	best := -1
	for i, text := range texts {
		if ourNumber.MatchString(strings.ToUpper(text)) {
			continue
		}
		if best < 0 || payerLooks(text) > payerLooks(texts[best]) {
			best = i
		}
	}
	for i, text := range texts {
		if i == best && r.Payer == "" {
			r.Payer = text
			continue
		}
		r.Note = strings.TrimSpace(r.Note + " " + text)
	}
	return r
}

// labelled cuts "流水号：20261201" into what it is and its value; a cell without a
// label is columnOther.
func labelled(cell string) (is column, value string) {
	i := strings.IndexAny(cell, "：: ")
	if i < 0 || strings.ContainsFunc(cell[:i], unicode.IsDigit) {
		return columnOther, cell
	}
	for _, h := range headings {
		if strings.Contains(strings.ToLower(cell[:i]), h.word) {
			return h.is, strings.TrimLeft(cell[i:], "：: ")
		}
	}
	return columnOther, cell
}

// number is what banks count payments by; at least eight digits or letters.
var number = regexp.MustCompile(`^[0-9A-Za-z-]{8,}$`)

// payerLooks ranks a text by how much it looks like the name of a payer.
func payerLooks(text string) int {
	looks := min(len([]rune(text)), 40)
	for _, ending := range []string{"公司", "照相馆", "学校", "中学", "小学", "大学", "学院", "店", "中心", "工作室", "社", "部"} {
		if strings.HasSuffix(text, ending) {
			return looks + 100
		}
	}
	return looks
}

// statementFen reads an amount as statements write it: "1,234.50", "¥1234.5",
// "+60.00元".
func statementFen(text string) (int64, bool) {
	text = strings.Trim(strings.TrimSpace(text), "+¥￥元 ")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "CNY"), "RMB")
	text = strings.ReplaceAll(strings.TrimSpace(text), ",", "")
	whole, part, dotted := strings.Cut(text, ".")
	if whole == "" || len(whole) > 12 || len(part) > 2 || dotted && part == "" {
		return 0, false
	}
	for _, r := range whole + part {
		if r < '0' || r > '9' {
			return 0, false
		}
	}
	fen, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	return fen, err == nil
}

var statementDays = []string{"2006-01-02", "2006/1/2", "2006.1.2", "20060102", "2006年1月2日", "2006-01-02 15:04:05", "2006/1/2 15:04:05", "2006-01-02 15:04"}

// statementDay reads a day as statements write it.
func statementDay(text string) (string, bool) {
	for _, layout := range statementDays {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 2000 && t.Year() < 2100 {
			return t.Format(dayLayout), true
		}
	}
	return "", false
}
