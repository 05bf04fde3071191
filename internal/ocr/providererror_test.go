package ocr_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
)

var outcomes = []ocr.Outcome{
	ocr.OutcomeTransport, ocr.OutcomeServer, ocr.OutcomeThrottled, ocr.OutcomeQuota, ocr.OutcomeAccount,
	ocr.OutcomeInput, ocr.OutcomeUnreadable,
}

// Whoever is asked next may charge as well, so the picture's own faults end the search.
func TestOnlyTheEnginesFaultsAreReasonToAskAnother(t *testing.T) {
	t.Parallel()
	for _, o := range outcomes {
		require.Equal(t, o != ocr.OutcomeInput && o != ocr.OutcomeUnreadable, o.FailsOver(), o)
	}
	require.False(t, ocr.Outcome("").FailsOver())
}

func TestAProviderErrorTellsThePersonAndTheLogWithoutTheAnswer(t *testing.T) {
	t.Parallel()
	e := &ocr.ProviderError{
		Engine: "juhe", Code: 215305, HTTPStatus: 200, Outcome: ocr.OutcomeUnreadable, Charge: ocr.Charged,
		Raw: ocr.Raw(`{"姓名":"李雷"}`), Err: context.DeadlineExceeded,
	}
	err := fmt.Errorf("reading: %w", e)
	require.Same(t, e, ocr.AsProviderError(err))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	told, ok := errors.AsType[*apperr.Error](err)
	require.True(t, ok)
	require.Equal(t, apperr.Invalid, told.Kind)
	require.Equal(t, "error.ocr.unreadable", told.Key)
	require.Equal(t, "reading: OCR provider juhe: unreadable, code 215305, HTTP 200: context deadline exceeded", err.Error())
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", e.Raw, *e, *e, e.Raw), "李雷")
	require.Nil(t, ocr.AsProviderError(errors.New("other")))
}

func TestTheKindFollowsTheOutcome(t *testing.T) {
	t.Parallel()
	for outcome, kind := range map[ocr.Outcome]apperr.Kind{
		ocr.OutcomeTransport: apperr.Unavailable, ocr.OutcomeServer: apperr.Unavailable, ocr.OutcomeQuota: apperr.Unavailable,
		ocr.OutcomeAccount: apperr.Unavailable, ocr.OutcomeThrottled: apperr.TooMany, ocr.OutcomeInput: apperr.Invalid,
	} {
		require.Equal(t, kind, apperr.KindOf(&ocr.ProviderError{Outcome: outcome}), outcome)
	}
}

func TestAnEngineIsAskedForWhatItReads(t *testing.T) {
	t.Parallel()
	told := ocr.Capabilities{Documents: []ocr.DocType{ocr.Passport}}
	require.True(t, told.Reads(ocr.Passport))
	require.False(t, told.Reads(ocr.Visa))
	require.False(t, told.Reads(ocr.Unknown))
	finds := ocr.Capabilities{Documents: []ocr.DocType{ocr.Passport}, Detects: []ocr.DocType{ocr.Passport}}
	require.True(t, finds.Reads(""))
	require.True(t, finds.Reads(ocr.Unknown))
}
