package fapiao

import "strings"

// codeAlphabet are the 31 characters of a unified social credit code by value,
// and codeWeights those of its first 17 places, 3^(i-1) mod 31 (GB 32100-2015,
// section 5 and table 2).
const codeAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

var codeWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}

// cleanTaxID drops what people type for the eye.
func cleanTaxID(s string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\u3000", "").Replace(s))
}

// taxIDProblem is the key of what is wrong with a cleaned taxpayer's number
// (纳税人识别号), or "". One of 18 characters is a unified social credit code with
// its check character; the older ones have 15 to 20 letters and digits and no
// check.
func taxIDProblem(id string) string {
	switch {
	case len(id) < 15 || len(id) > 20 || strings.Trim(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return "error.fapiao.tax_id"
	case len(id) == 18 && !validCode(id):
		return "error.fapiao.tax_id_check"
	default:
		return ""
	}
}

func validCode(id string) bool {
	sum := 0
	for i, weight := range codeWeights {
		value := strings.IndexByte(codeAlphabet, id[i])
		if value < 0 {
			return false
		}
		sum += value * weight
	}
	return id[17] == codeAlphabet[(31-sum%31)%31]
}
