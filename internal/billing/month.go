package billing

import (
	"fmt"
	"time"

	"huizhi/internal/i18n"
)

// Month is a month of account, "2026-11". It begins and ends at midnight in
// Asia/Shanghai, where everybody who reads a bill is. Months sort as text.
type Month string

const (
	monthLayout = "2006-01"
	dayLayout   = time.DateOnly
)

// MonthOf is the month of account that the moment belongs to.
func MonthOf(at time.Time) Month { return Month(at.In(i18n.Zone()).Format(monthLayout)) }

// dayOf is the day of account of the moment, "2026-11-20".
func dayOf(at time.Time) string { return at.In(i18n.Zone()).Format(dayLayout) }

// DayOf is the day of account of the moment, "2026-11-20".
func DayOf(at time.Time) string { return dayOf(at) }

// ParseMonth reads "2026-11" and nothing else.
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse(monthLayout, s)
	if err != nil || t.Format(monthLayout) != s {
		return "", fmt.Errorf("%q is not a month", s)
	}
	return Month(s), nil
}

// Start is the first moment of the month.
func (m Month) Start() time.Time {
	t, err := time.ParseInLocation(monthLayout, string(m), i18n.Zone())
	if err != nil {
		panic("billing: month not made by MonthOf or ParseMonth")
	}
	return t
}

// End is the first moment after the month.
func (m Month) End() time.Time { return m.Start().AddDate(0, 1, 0) }

// Days is the number of days of the month.
func (m Month) Days() int { return m.End().AddDate(0, 0, -1).Day() }

// Add is the month n months later, or earlier when n is negative.
func (m Month) Add(n int) Month { return MonthOf(m.Start().AddDate(0, n, 0)) }

// Ended tells whether the month is over at now.
func (m Month) Ended(now time.Time) bool { return !now.Before(m.End()) }
