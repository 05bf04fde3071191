package juhe

import (
	"huizhi/internal/ocr"
	"huizhi/internal/providers/ocrclient"
)

// codeOK is success.
const codeOK = 0

// verdicts are the failures of the document's two lists: 只有状态码为0和215305时扣费.
var verdicts = map[int]ocrclient.Verdict{
	215300: {Outcome: ocr.OutcomeServer},  // network fault on their side
	215301: {Outcome: ocr.OutcomeAccount}, // GET: something on the way makes one of our POST
	215302: {Outcome: ocr.OutcomeInput},   // too large
	215303: {Outcome: ocr.OutcomeInput},   // cardType
	215304: {Outcome: ocr.OutcomeInput},   // file name's type
	215305: {Outcome: ocr.OutcomeUnreadable, Charge: ocr.Charged},
	215306: {Outcome: ocr.OutcomeTransport},  // no picture arrived, although one was sent
	215307: {Outcome: ocr.OutcomeTransport},  // or a broken one
	215308: {Outcome: ocr.OutcomeUnreadable}, // another kind of document

	10001: {Outcome: ocr.OutcomeAccount}, // wrong key
	10002: {Outcome: ocr.OutcomeAccount}, // key without this interface
	10003: {Outcome: ocr.OutcomeAccount}, // key expired
	10004: {Outcome: ocr.OutcomeAccount}, // OPENID
	10005: {Outcome: ocr.OutcomeAccount}, // application not approved in time
	10007: {Outcome: ocr.OutcomeAccount}, // unknown source
	10008: {Outcome: ocr.OutcomeAccount}, // IP forbidden
	10009: {Outcome: ocr.OutcomeAccount}, // key forbidden
	10011: {Outcome: ocr.OutcomeThrottled},
	10012: {Outcome: ocr.OutcomeQuota},
	10013: {Outcome: ocr.OutcomeQuota},                            // of a test key
	10014: {Outcome: ocr.OutcomeServer, Charge: ocr.MaybeCharged}, // internal error; the document itself warns of loss
	10020: {Outcome: ocr.OutcomeServer},                           // maintenance
	10021: {Outcome: ocr.OutcomeAccount},                          // interface closed
}

func verdict(code int) ocrclient.Verdict {
	v, ok := verdicts[code]
	if !ok {
		v.Outcome = ocr.OutcomeServer
	}
	return v
}
