package clipimg

import (
	"net/http"

	"huizhi/internal/providers"
)

// code is what one of the document's error codes proves, and what happens next.
type code struct {
	text     string // the document's own words
	outcome  providers.Outcome
	reaction providers.Reaction
	onSubmit bool // it can be the answer to a submit
}

// codes is the document's list of error codes. A code that is not listed proves nothing.
//
// 1002 to 1004 are refusals of something that is never sent empty, 1009, 1011 and 1012 of queries that are never made:
// they mean a fault of this program, which the operator must hear of.
var codes = map[int]code{
	1001: {"无效的API密钥", providers.OutcomeAccount, providers.ReactStop, true},
	1002: {"回执类型ID不能为空", providers.OutcomeRefused, providers.ReactOperator, true},
	1003: {"证件照URL不能为空", providers.OutcomeRefused, providers.ReactOperator, true},
	1004: {"自定义字段不能为空", providers.OutcomeRefused, providers.ReactOperator, true},
	1005: {"必填字段不能为空", providers.OutcomeRefused, providers.ReactFix, true},
	1006: {"手机号格式不正确", providers.OutcomeRefused, providers.ReactFix, true},
	1007: {"身份证号格式不正确", providers.OutcomeRefused, providers.ReactFix, true},
	1008: {"无效的回执类型", providers.OutcomeRefused, providers.ReactFix, true},
	1009: {"申请单号不能为空", providers.OutcomeRefused, providers.ReactOperator, false},
	1010: {"申请记录不存在", providers.OutcomeRefused, providers.ReactLater, false},
	1011: {"申请单号数组不能为空", providers.OutcomeRefused, providers.ReactOperator, false},
	1012: {"单次查询申请单号不能超过100个", providers.OutcomeRefused, providers.ReactOperator, false},
	1013: {"账户余额不足", providers.OutcomeAccount, providers.ReactStop, true},
	2001: {"申请提交失败,请稍后重试", providers.OutcomeUnknown, providers.ReactReconcile, true},
	2002: {"系统异常,请稍后重试", providers.OutcomeUnknown, providers.ReactReconcile, true},
}

// failed sorts a failed answer. Only documented codes prove anything, and only when the provider's web server was in
// order: an error page may stand in for the answer of a submit that went through.
func failed(op string, status, no int) *providers.Error {
	e := &providers.Error{Op: op, Code: no, HTTPStatus: status, Outcome: providers.OutcomeUnknown}
	switch c, listed := codes[no]; {
	case status == http.StatusTooManyRequests:
		e.Outcome = providers.OutcomeThrottled
	case status >= 500 || !listed || op == opSubmit && !c.onSubmit:
	default:
		e.Outcome, e.Reaction = c.outcome, c.reaction
	}
	if e.Outcome == providers.OutcomeUnknown && op != opSubmit {
		e.Reaction = providers.ReactLater // nothing to reconcile: asking again costs nothing
	}
	return e
}
