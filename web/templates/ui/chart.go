package ui

import (
	"context"
	"math"
	"strconv"
	"strings"

	"huizhi/internal/i18n"
)

// shareBar is a part of a stacked bar, in hundredths of its width.
type shareBar struct{ fill, x, width string }

// shareBars lays the parts side by side with a hairline between them.
func shareBars(shares []Share) []shareBar {
	total := 0
	for _, s := range shares {
		total += s.N
	}
	if total == 0 {
		return nil
	}
	var bars []shareBar
	x := 0.0
	for _, s := range shares {
		if s.N == 0 {
			continue
		}
		w := float64(s.N) / float64(total) * 100
		gap := 0.6
		if x+w > 99.9 {
			gap = 0
		}
		bars = append(bars, shareBar{s.Tone.fill(), svgNumber(x), svgNumber(max(0.4, w-gap))})
		x += w
	}
	return bars
}

// shareText says the parts in words.
func shareText(ctx context.Context, shares []Share) string {
	var parts []string
	for _, s := range shares {
		if s.N > 0 {
			parts = append(parts, s.Label+" "+i18n.Count(int64(s.N)))
		}
	}
	return strings.Join(parts, i18n.T(ctx, "ui.comma"))
}

// ChartView is a bar chart by day or month.
type ChartView struct {
	Label string // what it shows and its extremes, for screen readers
	Bars  []Bar
	// Compare is drawn as a dashed line over the bars: the month before. Shorter or longer than Bars is fine.
	Compare []int64
	Height  int // of the drawing; 190 unless set
}

// Bar is one bar. Label is drawn under it when it is not empty; Tip is shown on hover and read out.
type Bar struct {
	Label   string
	Value   int64
	Tip     string
	Href    string
	Current bool
}

// A chart is drawn twice, and the page shows the one that fits: a drawing that is
// made smaller would have figures too small to read.
const (
	wideChart   = 1000.0
	narrowChart = 340.0 // of a phone, unit for pixel

	chartLeft = 48.0 // room for the figures of the axis
	chartTop  = 8.0
	chartFoot = 22.0 // room for the labels
	labelRoom = 34.0 // of one label, at least
)

type chartBar struct {
	Bar
	x, y, width, height   string
	middle                string
	hitX, hitW, hitHeight string
}

type chartLine struct{ y, textY, text string }

// chart is a ChartView laid out.
type chart struct {
	ChartView
	width, height string
	labelY        string
	bars          []chartBar
	lines         []chartLine
	compare       string
}

func (v ChartView) layOut(width float64) chart {
	height := float64(v.Height)
	if height == 0 {
		height = 190
	}
	top := axisTop(v)
	slots := max(1, len(v.Bars), len(v.Compare))
	slot := (width - chartLeft) / float64(slots)
	bottom := height - chartFoot
	y := func(n int64) float64 { return bottom - float64(n)/float64(top)*(bottom-chartTop) }
	c := chart{ChartView: v, width: svgNumber(width), height: svgNumber(height), labelY: svgNumber(height - 5)}
	for i := range int64(5) {
		n := top * i / 4
		c.lines = append(c.lines, chartLine{svgNumber(y(n)), svgNumber(y(n) + 4), i18n.Count(n)})
	}
	labelled := -labelRoom // the middle of the last label
	for i, b := range v.Bars {
		x := chartLeft + float64(i)*slot
		pad := slot * 0.16
		if x+slot/2-labelled < labelRoom {
			b.Label = ""
		} else if b.Label != "" {
			labelled = x + slot/2
		}
		c.bars = append(c.bars, chartBar{
			Bar: b, x: svgNumber(x + pad), y: svgNumber(y(b.Value)), width: svgNumber(slot - 2*pad),
			height: svgNumber(bottom - y(b.Value)), middle: svgNumber(x + slot/2),
			hitX: svgNumber(x), hitW: svgNumber(slot), hitHeight: svgNumber(bottom - chartTop),
		})
	}
	var points []string
	for i, n := range v.Compare {
		points = append(points, svgNumber(chartLeft+(float64(i)+0.5)*slot)+","+svgNumber(y(n)))
	}
	c.compare = strings.Join(points, " ")
	return c
}

// axisTop is the smallest round number, divisible by four, that no value exceeds.
func axisTop(v ChartView) int64 {
	var most int64 = 4
	for _, b := range v.Bars {
		most = max(most, b.Value)
	}
	for _, n := range v.Compare {
		most = max(most, n)
	}
	step := math.Pow(10, math.Floor(math.Log10(float64(most))))
	for _, k := range []float64{1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8} {
		if top := int64(k * step); top >= most && top%4 == 0 {
			return top
		}
	}
	return int64(10*step+3) / 4 * 4
}

func svgNumber(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }

func barClass(b Bar) string {
	if b.Current {
		return "fill-base-content"
	}
	return "fill-ink-bar"
}

const sparkSlot, sparkHeight = 10.0, 56.0

func sparkWidth(v ChartView) string { return svgNumber(float64(max(1, len(v.Bars))) * sparkSlot) }

func sparkBox(v ChartView) string { return "0 0 " + sparkWidth(v) + " " + svgNumber(sparkHeight) }

func sparkBars(v ChartView) []chartBar {
	var most int64 = 1
	for _, b := range v.Bars {
		most = max(most, b.Value)
	}
	var bars []chartBar
	for i, b := range v.Bars {
		h := float64(b.Value) / float64(most) * (sparkHeight - 4)
		bars = append(bars, chartBar{
			Bar: b, x: svgNumber(float64(i)*sparkSlot + 1), y: svgNumber(sparkHeight - 1 - h),
			width: svgNumber(sparkSlot - 2.5), height: svgNumber(h),
		})
	}
	return bars
}
