package ocr

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/simplifiedchinese"

	"huizhi/internal/idnumber"
)

// Ethnicities are the 56 of GB/T 3304 and the two further entries that cards
// bear, without the word 族.
var Ethnicities = strings.Fields(`
	汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳
	佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米
	塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺
	穿青人 其他`)

// middleDot is the one character, of the many in use, that parts the names of
// several ethnicities on cards since GB/T 13000 was amended.
const middleDot = "·"

// Normalize brings a value as people type it, or as engines read it, into the
// form that fields have: one kind of middle dot, no spaces, dates with hyphens,
// half-width upper-case numbers, ethnicities without 族.
func Normalize(name FieldName, value string) string {
	value = strings.TrimSpace(value)
	switch name {
	case Name, SpouseName:
		return dots.Replace(withoutSpaces(value))
	case Ethnicity:
		if value = withoutSpaces(value); len(value) > len("族") {
			value = strings.TrimSuffix(value, "族")
		}
		return value
	case Address, Authority:
		return withoutSpaces(value)
	}
	switch name.Kind() {
	case Date:
		if name == ValidUntil && withoutEnd.MatchString(value) {
			return LongTerm
		}
		return normalizeDate(value)
	case Code:
		return idnumber.Normalize(value)
	case SexKind:
		return normalizeSex(value)
	}
	return value
}

// normalizeSex also understands how passports and permits print it.
func normalizeSex(s string) string {
	s = withoutSpaces(s)
	switch strings.ToUpper(s) {
	case "男性", "M", "男/M", "MALE":
		return "男"
	case "女性", "F", "女/F", "FEMALE":
		return "女"
	}
	return s
}

var dots = strings.NewReplacer("•", middleDot, "・", middleDot, "．", middleDot, ".", middleDot,
	"‧", middleDot, "∙", middleDot, "⋅", middleDot, "●", middleDot)

func withoutSpaces(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

var dateParts = regexp.MustCompile(`^(\d{4})(?:[-./年](\d{1,2})[-./月](\d{1,2})日?|(\d{2})(\d{2}))$`)

var (
	datesInTerm = regexp.MustCompile(`\d{4}[-./年]\d{1,2}[-./月]\d{1,2}日?|\d{8}`)
	withoutEnd  = regexp.MustCompile(`长期|永久|无固定期限|不约定期限`)
)

// SplitTerm takes the two ends out of a period as documents print it, such as
// 2015.02.03-2035.02.03 or 2018年03月21日至长期, in the form that fields have. A
// single date is the end; what is not there is empty.
func SplitTerm(period string) (from, until string) {
	dates := datesInTerm.FindAllString(idnumber.Normalize(period), 2)
	for i, date := range dates {
		dates[i] = normalizeDate(date)
	}
	switch {
	case withoutEnd.MatchString(period):
		if len(dates) > 0 {
			from = dates[0]
		}
		return from, LongTerm
	case len(dates) == 2:
		return dates[0], dates[1]
	case len(dates) == 1:
		return "", dates[0]
	}
	return "", ""
}

// normalizeDate returns what is no date unchanged, for Check to flag.
func normalizeDate(s string) string {
	m := dateParts.FindStringSubmatch(idnumber.Normalize(s))
	if m == nil {
		return s
	}
	pad := func(part string) string { return strings.Repeat("0", 2-len(part)) + part }
	if m[4] != "" {
		return m[1] + "-" + m[4] + "-" + m[5]
	}
	return m[1] + "-" + pad(m[2]) + "-" + pad(m[3])
}

// commonInNames reports whether a character is among those that readers know
// well and meet in names: the 3755 of level 1 of GB 2312 and the more frequent
// in names of the rest.
func commonInNames(r rune) bool {
	if strings.ContainsRune(commonBeyondLevel1, r) {
		return true
	}
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(string(r))
	return err == nil && len(gbk) == 2 && gbk[0] >= 0xB0 && gbk[0] <= 0xD7 && gbk[1] >= 0xA1
}

const commonBeyondLevel1 = "" +
	// in surnames
	"佘佟俞倪冼卞覃邝邬邵邱郝郗郜郦鄢闫闵阎隋雍靳骆鲍龚岑庾庞晏晁柯栾樊殷汪涂滕濮牟狄甄禹穆窦缪翟聂胥臧芮荀荆蔺虞谌逯迟尉詹阚亓仝褚瞿" +
	// in given names
	"琪婷鑫昊钰瑶璐妍玮炜睿雯婧婕嫣琦瑾瑜琛琰璇璟玥晗晖晟晔昕昱煜烨焱炫熠熙馨薇茜芸芷茹菁菡萱蕊蓓淼潇漪沁泓淇渝滢瀚澜彤彬彦翊翎倩" +
	"骏骁骐麒麟岚峥嵘嵩屹娅姝姗姣娣婉婵妤妮祎祺禧祯笙筠绮缨缤昀曦暄曜恺恬怡憬懿攸斌斐旖旎宸宥寰钊钧铉铭锴镕颀颖颢韬韫靓霁霏霓霖飒馥皓皎" +
	"瞳祐逸逵邦郁邺郡钏鸾鹂鹭黛琬珂珊珏珑玲珺琨琮瑛瑞瑄璋璨昶昉旻晞彧彪徽忻悦惟慧憧扬挺擎敏旭昌杏杰桦梓梵棠槿樱樾毅沅沐沛泽洛洵浚涓润涵渊溪滔漫潞澍濡炎炳烜焕燕燊爽"
