package pyi

import (
	"huizhi/internal/ocr"
	"huizhi/internal/providers/ocrclient"
)

// Codes that the client acts upon.
const (
	codeOK    = 10000
	codeClock = 10004
)

// outcomes are the failures of the document's list. None is charged: 返回10000状态都会进行计费.
var outcomes = map[int]ocr.Outcome{
	10001:     ocr.OutcomeAccount, // appid missing
	10002:     ocr.OutcomeAccount, // sign missing
	10003:     ocr.OutcomeAccount, // sign wrong
	codeClock: ocr.OutcomeAccount, // more than 10 minutes apart, also by the service's own clock
	10005:     ocr.OutcomeAccount, // appid wrong
	10006:     ocr.OutcomeAccount, // our address is not listed
	10007:     ocr.OutcomeAccount, // application disabled
	10008:     ocr.OutcomeAccount, // application without this interface
	10009:     ocr.OutcomeAccount, // no such interface
	10010:     ocr.OutcomeAccount, // not ordered
	10011:     ocr.OutcomeAccount, // expired
	10012:     ocr.OutcomeAccount, // nothing ordered at all
	10013:     ocr.OutcomeServer,  // suspended
	10014:     ocr.OutcomeServer,  // unknown error
	10015:     ocr.OutcomeAccount, // number of parameters: the same for every picture
	10017:     ocr.OutcomeAccount, // time is no integer: likewise
	10018:     ocr.OutcomeQuota,   // no calls left
	10019:     ocr.OutcomeInput,   // the only code for whatever is wrong with a picture
	10020:     ocr.OutcomeAccount, // interface closed
	10021:     ocr.OutcomeServer,
	10022:     ocr.OutcomeQuota, // no money left
}

func verdict(code int) ocrclient.Verdict {
	outcome, ok := outcomes[code]
	if !ok {
		outcome = ocr.OutcomeServer
	}
	return ocrclient.Verdict{Outcome: outcome}
}
