package idcard

import (
	"regexp"
	"strings"

	"huizhi/internal/ocr"
)

// parseBack returns nil if there is no back.
func parseBack(rows []row) map[ocr.FieldName]value {
	found := 0
	values := map[ocr.FieldName]value{}
	for i, r := range rows {
		if _, ok := afterLike(r.glyphs, "居民身份证"); ok {
			found++
		}
		if _, ok := afterLike(r.glyphs, "中华人民共和国"); ok {
			found++
		}
		if values[ocr.Authority].field.Value == "" {
			if glyphs, ok := authorityLabel(r); ok {
				found++
				values[ocr.Authority] = authority(rows[i:], glyphs)
			}
		}
		if values[ocr.ValidFrom].field.Value == "" {
			glyphs, labelled := after(r.glyphs, "有效期限", "效期限", "期限")
			if !labelled {
				glyphs = r.glyphs
			}
			from, until := validity(r, glyphs)
			if labelled {
				found++
			}
			if from.field.Value != "" && (labelled || until.field.Value != "") {
				found++
				values[ocr.ValidFrom], values[ocr.ValidUntil] = from, until
			}
		}
	}
	if found < 2 {
		return nil
	}
	return values
}

func authorityLabel(r row) ([]Glyph, bool) {
	if glyphs, ok := afterLike(r.glyphs, "签发机关"); ok {
		return glyphs, true
	}
	return after(r.glyphs, "发机关", "机关")
}

// authority reads the value, which may go on in the rows up to the validity.
func authority(rows []row, glyphs []Glyph) value {
	v := valueOf(rows[0], withoutEdges(glyphs))
	for i, r := range rows[1:] {
		if contains(r.glyphs, "有效", "期限") || numericDate.MatchString(r.text()) || r.y-rows[i].y > 1.8*rows[0].h {
			break
		}
		v = v.then(valueOf(r, withoutEdges(r.glyphs)))
	}
	return v
}

var (
	numericDate = regexp.MustCompile(`[12][0-9]{3}[.,·:;\-]?[01][0-9][.,·:;\-]?[0-3][0-9]`)
	longTerm    = regexp.MustCompile(`[长氏K][期朋明]`)
)

// validity reads "2015.02.03-2035.02.03" or "2015.02.03-长期".
func validity(r row, glyphs []Glyph) (from, until value) {
	s := text(glyphs)
	part := func(first, last int) value {
		v := valueOf(r, glyphs[len([]rune(s[:first])):len([]rune(s[:last]))])
		v.field.Value = strings.Map(func(c rune) rune {
			if c < '0' || c > '9' {
				return -1
			}
			return c
		}, v.field.Value)
		return v
	}
	dates := numericDate.FindAllStringIndex(s, 2)
	if len(dates) > 0 {
		from = part(dates[0][0], dates[0][1])
	}
	if len(dates) > 1 {
		until = part(dates[1][0], dates[1][1])
	} else if span := longTerm.FindStringIndex(s); span != nil && len(dates) == 1 {
		until = part(span[0], span[1])
		until.field.Value = ocr.LongTerm
	}
	return from, until
}
