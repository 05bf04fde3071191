package billing

import "math/bits"

// share is fen x part / whole, rounded half up. All are at least 0, whole more,
// and part at most whole.
func share(fen, part, whole int64) int64 {
	high, low := bits.Mul64(uint64(fen), uint64(part))
	low, carry := bits.Add64(low, uint64(whole)/2, 0)
	quotient, _ := bits.Div64(high+carry, low, uint64(whole))
	return int64(quotient)
}
