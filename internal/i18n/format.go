package i18n

import (
	"context"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the one zone we show must exist on every machine, containers without zoneinfo included
)

// zone is where all our readers are. Times are kept in UTC and shown here.
var zone = func() *time.Location {
	loc, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err) // impossible: the data is embedded
	}
	return loc
}()

// Zone is the time zone that times are shown in and that days and months of account begin in.
func Zone() *time.Location { return zone }

// Date shows the day: 2026 年 11 月 20 日, 20 Nov 2026.
func Date(ctx context.Context, t time.Time) string {
	return layout(ctx, t, "2006 年 1 月 2 日", "2 Jan 2006")
}

// DateWeekday shows the day with its weekday: 2026 年 11 月 20 日 星期五, Fri 20 Nov 2026.
func DateWeekday(ctx context.Context, t time.Time) string {
	if Lang(ctx) == EN {
		return t.In(zone).Format("Mon 2 Jan 2006")
	}
	return Date(ctx, t) + " 星期" + string([]rune("日一二三四五六")[t.In(zone).Weekday()])
}

// Day shows a day of a year that is clear from the context: 11 月 20 日, 20 Nov.
func Day(ctx context.Context, t time.Time) string {
	return layout(ctx, t, "1 月 2 日", "2 Jan")
}

// Month shows a month of account: 2026 年 11 月, November 2026.
func Month(ctx context.Context, t time.Time) string {
	return layout(ctx, t, "2006 年 1 月", "January 2006")
}

// Time shows the time of day to the minute: 14:02.
func Time(t time.Time) string { return t.In(zone).Format("15:04") }

// DateTime is the exact time for titles, timelines and exports: 2026-11-20 14:02:33.
func DateTime(t time.Time) string { return t.In(zone).Format(time.DateTime) }

func layout(ctx context.Context, t time.Time, zh, en string) string {
	if Lang(ctx) == EN {
		return t.In(zone).Format(en)
	}
	return t.In(zone).Format(zh)
}

// Relative shows a time as people say it at now: 刚刚, 3 分钟前, 13:52 (today), 11 月 19 日 13:52, and with the year
// when it is another one. Up to an hour ahead it says 3 分钟后. web/src/reltime.ts keeps the same rules on an open page.
func Relative(ctx context.Context, t, now time.Time) string {
	t, now = t.In(zone), now.In(zone)
	switch ago := now.Sub(t); {
	case ago.Abs() < 45*time.Second:
		return T(ctx, "common.time.now")
	case ago.Abs() < time.Hour && ago > 0:
		return T(ctx, "common.time.ago", "n", minutes(ago))
	case ago.Abs() < time.Hour:
		return T(ctx, "common.time.in", "n", minutes(-ago))
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return Time(t)
	case t.Year() == now.Year():
		return Day(ctx, t) + " " + Time(t)
	default:
		return Date(ctx, t)
	}
}

func minutes(d time.Duration) int { return max(1, min(59, int(d.Round(time.Minute)/time.Minute))) }

// Duration shows how long something took or takes, in its two largest units: 24 分 27 秒, 24 min 27 s.
func Duration(ctx context.Context, d time.Duration) string {
	d = max(0, d)
	if d < 10*time.Second {
		return T(ctx, "common.duration.seconds", "n", strconv.FormatFloat(d.Seconds(), 'f', 1, 64))
	}
	d = d.Round(time.Second)
	if d >= time.Hour {
		d = d.Round(time.Minute)
	}
	units := []struct {
		key  string
		size time.Duration
	}{
		{"common.duration.days", 24 * time.Hour},
		{"common.duration.hours", time.Hour},
		{"common.duration.minutes", time.Minute},
		{"common.duration.seconds", time.Second},
	}
	var parts []string
	for _, u := range units {
		if n := int64(d / u.size); n > 0 {
			parts = append(parts, T(ctx, u.key, "n", n))
		} else if len(parts) > 0 {
			break
		}
		if d %= u.size; len(parts) == 2 {
			break
		}
	}
	return strings.Join(parts, " ")
}

// Money shows an amount of fen as yuan: ¥12,480.00, −¥5.00.
func Money(fen int64) string {
	if fen < 0 {
		return "−¥" + yuan(-fen)
	}
	return "¥" + yuan(fen)
}

// Amount is Money without the sign of the currency, for table columns whose head names the unit: 12,480.00.
func Amount(fen int64) string {
	if fen < 0 {
		return "−" + yuan(-fen)
	}
	return yuan(fen)
}

func yuan(fen int64) string {
	return Count(fen/100) + "." + string('0'+byte(fen/10%10)) + string('0'+byte(fen%10))
}

// Points shows upstream points: 23,000 点, 23,000 points.
func Points(ctx context.Context, n int64) string { return T(ctx, "common.points", "n", n) }

// Count groups a number by thousands: 1,284.
func Count(n int64) string {
	if n < 0 {
		return "−" + strings.TrimPrefix(Count(-n), "−")
	}
	digits := strconv.FormatInt(n, 10)
	if len(digits) <= 3 {
		return digits
	}
	var b strings.Builder
	for i, d := range []byte(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(d)
	}
	return b.String()
}

// Bytes shows a size of a file in decimal units, as phones and browsers do: 640 KB, 4.2 MB.
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return Count(n) + " B"
	case n < 999_500:
		return Count((n+500)/1000) + " KB"
	case n < 999_950_000:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
	default:
		return strconv.FormatFloat(float64(n)/1e9, 'f', 1, 64) + " GB"
	}
}

// Percent shows a share: 16.5%. Whole numbers have no decimal.
func Percent(share float64) string {
	return strconv.FormatFloat(float64(int64(share*1000+0.5))/10, 'f', -1, 64) + "%"
}
