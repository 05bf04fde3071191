package voucher

import (
	"maps"
	"slices"

	"huizhi/internal/billing"
)

// The accounts have the codes of 《企业会计准则——应用指南》附录: 1122, 6001, 2221,
// 1002, 2203. Subaccounts differ from company to company, so they are the first thing to
// change.
var accounts = map[Side]Account{
	Receivable: {"1122", "应收账款"}, Revenue: {"6001", "主营业务收入"},
	Tax: {"22210106", "应交税费-应交增值税-销项税额"}, Bank: {"1002", "银行存款"}, Advance: {"2203", "预收账款"},
}

var texts = map[billing.MovementKind]string{
	billing.MovedInvoice: "{month} 回执服务费 {tenant} {number}",
	billing.MovedCredit:  "冲减 {invoice} {tenant} {number}",
	billing.MovedVoid:    "作废 {number} {tenant}",
	billing.MovedPayment: "收款 {tenant} {invoice} {reference}",
	billing.MovedRefund:  "退款 {tenant} {invoice} {reference}",
	billing.MovedTopUp:   "预收充值 {tenant} {reference}",
}

// builtin are the layouts that are there from the start. No vendor publishes a
// binding format: each program exports its own template, whose heads vary a
// little by edition, and maps columns at import. Where these come from:
//
//	u8   用友 U8, 总账工具 "凭证引入": 制单日期, 凭证类别字, 业务号, 附单据数, 摘要,
//	     科目编码, 金额借方, 金额贷方 are required, in this order, and amounts that
//	     are not there are 0. http://www.100ksw.com/jsj/yynl/3/228066.shtml
//	tplus 用友畅捷通 T+: 日期, 凭证字, 凭证号, 摘要, 科目代码, 借方, 贷方, 制单人.
//	     http://hzyonyou.net/wap/news/2520.html
//	kis  金蝶 KIS 标准版 "引入凭证": 日期, 凭证字, 凭证号, 附单据数, 摘要, 科目代码,
//	     科目名称, 借方金额, 贷方金额, 币别, 汇率 and more that may be empty.
//	     https://www.seridoat.com/article/jin-die-kis-biao-zhun-ban-yin-ru-ping-zheng-gong-neng-xiang-jie-yu-shi-cao-zhi-nan.html
//	k3   金蝶 K/3, whose files have these fields under the names FDATE, FPERIOD,
//	     FGROUP, FNUM, FENTRYID, FEXP, FACCTID, FDC, FDEBIT, FCREDIT (KingdeeVoucher
//	     in https://github.com/ourworldcn/PowerLms).
func builtin() []Layout {
	layout := func(id, name, columns string) Layout {
		parsed, err := ParseColumns(columns)
		if err != nil {
			panic(err)
		}
		return Layout{ID: id, Name: name, Word: "记", First: 1, Accounts: maps.Clone(accounts), Texts: maps.Clone(texts), Columns: parsed}
	}
	return []Layout{
		layout("u8", "用友 U8", `制单日期 = date
凭证类别字 = word
业务号 = voucher
附单据数 = attachments
摘要 = summary
科目编码 = account
金额借方 = debit
金额贷方 = credit
客户 = customer`),
		layout("tplus", "用友 T+", `日期 = date
凭证字 = word
凭证号 = voucher
摘要 = summary
科目代码 = account
科目名称 = account_name
借方金额 = debit
贷方金额 = credit
往来单位 = customer
制单人 = "回执"`),
		layout("kis", "金蝶 KIS / 精斗云", `日期 = date
凭证字 = word
凭证号 = voucher
附单据数 = attachments
摘要 = summary
科目代码 = account
科目名称 = account_name
借方金额 = debit
贷方金额 = credit
币别 = "人民币"
汇率 = "1"
客户 = customer`),
		layout("k3", "金蝶 K/3", `FDATE = date
FPERIOD = period
FGROUP = word
FNUM = voucher
FENTRYID = line
FEXP = summary
FACCTID = account
FDC = direction
FDEBIT = debit
FCREDIT = credit
FOBJNAME1 = customer`),
	}
}

// find looks for a layout by id.
func find(all []Layout, id string) (Layout, bool) {
	i := slices.IndexFunc(all, func(l Layout) bool { return l.ID == id })
	if i < 0 {
		return Layout{}, false
	}
	return all[i], true
}
