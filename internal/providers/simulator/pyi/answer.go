package pyi

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/wire"
)

// Messages are the document's table of status codes. 10016 is missing there.
var Messages = map[int]string{
	10000: "返回成功",
	10001: "appid必须指定,可以我的应用里面查看",
	10002: "sign值必须指定,加密规则请前往帮助中心查看",
	10003: "sign值验证不通过,加密规则请前往帮助中心查看",
	10004: "时差不能超过10分钟,可以不传递这个参数,注意时间戳单位是秒",
	10005: "appid错误,请检查appid值,前往会员中心->我的应用查看或添加",
	10006: "当前IP地址未授权,请前往用户中心->我的应用添加ip{@info}",
	10007: "应用被禁用,请联系客服处理",
	10008: "应用内没有该接口,请到我的应用里面添加这个接口",
	10009: "api接口不存在",
	10010: "您没有订购该api",
	10011: "api已经到期",
	10012: "没有订购任何api,请前往购买后再操作",
	10013: "该接口已经暂停使用",
	10014: "未知的错误,可以联系客服处理",
	10015: "参数个数错误",
	10017: "time必须是整型",
	10018: "次数不足",
	10019: "{@info}",
	10020: "子接口不存在,可能已经被关闭",
	10021: "服务器发生错误",
	10022: "帐户余额不足,请充值!",
}

// refuse returns the answer with an error code. The info goes into the message where the table has {@info}; of 10006 it
// is the caller's address.
func (q request) refuse(code int, info string) wire.Answer {
	if code == 10006 {
		info = host(q.remote)
	}
	message := strings.ReplaceAll(Messages[code], "{@info}", cmp.Or(info, "请求错误"))
	return q.answer(wire.Object{{Name: "codeid", Value: code}, {Name: "message", Value: message}, {Name: "retdata", Value: []any{}}, {Name: "time", Value: q.time()}})
}

// success returns the answer with what was read.
func (q request) success(c cards.Card, want cards.Kind) wire.Answer {
	return q.answer(wire.Object{
		{Name: "codeid", Value: 10000}, {Name: "idcard_number_type", Value: c.Agreement()},
		{Name: "image_status", Value: imageStatus(c, want)}, {Name: "message", Value: "识别成功"},
		{Name: "retdata", Value: fields(c)}, {Name: "time", Value: q.time()},
	})
}

// time is the request's, or the present one if it has none.
func (q request) time() string {
	return cmp.Or(q.form.Get("time"), strconv.FormatInt(q.now.Unix(), 10))
}

func imageStatus(c cards.Card, want cards.Kind) string {
	switch {
	case c.Kind != "" && !c.IsID():
		return "other_type_card"
	case c.Quality != "":
		return c.Quality
	case c.Kind == "":
		return "non_idcard"
	case want != "" && want != c.Kind:
		return "reversed_side"
	}
	return "normal"
}

// fields are the members of retdata: those of the card's side, none for anything else.
func fields(c cards.Card) wire.Object {
	o := wire.Object{}
	add := func(name, value string) { o = append(o, wire.Member{Name: name, Value: value}) }
	switch c.Kind {
	case cards.IDFront:
		add("住址", c.Fields[cards.Address])
		if c.Agreement() != 0 { // an illegal number is not returned
			add("公民身份号码", c.Fields[cards.IDNumber])
		}
		add("出生", c.Date(cards.BirthDate, "20060102"))
		add("姓名", c.Fields[cards.Name])
		add("性别", c.Fields[cards.Sex])
		add("民族", c.Fields[cards.Ethnicity])
	case cards.IDBack:
		add("失效日期", c.Date(cards.ValidUntil, "20060102"))
		add("签发日期", c.Date(cards.ValidFrom, "20060102"))
		add("签发机关", c.Fields[cards.Authority])
	}
	return o
}

// answer writes the members in the format asked for.
func (q request) answer(o wire.Object) wire.Answer {
	if q.form.Get("format") != "xml" {
		return wire.JSON(o)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	writeXML(&b, "root", o)
	return wire.Answer{Type: wire.TypeXML, Body: b.Bytes()}
}

func writeXML(b *bytes.Buffer, name string, value any) {
	fmt.Fprintf(b, "<%s>", name)
	switch value := value.(type) {
	case wire.Object:
		for _, m := range value {
			writeXML(b, m.Name, m.Value)
		}
	case []any: // only ever empty
	default:
		xml.EscapeText(b, fmt.Append(nil, value))
	}
	fmt.Fprintf(b, "</%s>", name)
}
