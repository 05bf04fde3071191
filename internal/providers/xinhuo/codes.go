package xinhuo

import (
	"huizhi/internal/ocr"
	"huizhi/internal/providers/ocrclient"
)

// Codes that give a reading.
const (
	codeOK         = 200
	codeNoDocument = 40500 // none of the kinds that are told apart: a reading of type Unknown, not charged
)

// outcomes are the other codes of the document's list.
var outcomes = map[int]ocr.Outcome{
	500:   ocr.OutcomeServer,
	40001: ocr.OutcomeServer,
	40002: ocr.OutcomeServer,
	40003: ocr.OutcomeAccount,   // no such API: wrong address
	40004: ocr.OutcomeThrottled, // the whole cluster's limit
	40017: ocr.OutcomeQuota,     // of the day
	40018: ocr.OutcomeThrottled, // per second
	40019: ocr.OutcomeQuota,     // altogether
	40020: ocr.OutcomeQuota,     // of tests, of the day
	40100: ocr.OutcomeAccount,   // token empty
	40101: ocr.OutcomeAccount,   // token unknown
	40102: ocr.OutcomeAccount,
	40103: ocr.OutcomeAccount,
	40104: ocr.OutcomeAccount, // expired
	40105: ocr.OutcomeAccount, // our address is not listed
	40106: ocr.OutcomeAccount, // not for this service
	40107: ocr.OutcomeQuota,   // overdrawn by 5 %
	40110: ocr.OutcomeAccount,
	40200: ocr.OutcomeServer,
	40201: ocr.OutcomeAccount, // a parameter is missing: the same for every picture
	40202: ocr.OutcomeAccount, // unknown service: likewise
	40300: ocr.OutcomeInput,   // no picture
	40301: ocr.OutcomeInput,   // format
	40302: ocr.OutcomeInput,   // size
	40303: ocr.OutcomeInput,   // kind of file
	// The document wants the request repeated, but says of neither whether the picture is at fault: another engine would
	// be paid to find out.
	40400: ocr.OutcomeUnreadable,
	40401: ocr.OutcomeUnreadable,
	40600: ocr.OutcomeTransport, // no body arrived, although one was sent
	50001: ocr.OutcomeServer,    // timeout on their side
	90099: ocr.OutcomeServer,
}

func verdict(code int) ocrclient.Verdict {
	outcome, ok := outcomes[code]
	if !ok {
		outcome = ocr.OutcomeServer
	}
	return ocrclient.Verdict{Outcome: outcome}
}
