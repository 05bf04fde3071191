// Cardgen writes pictures of invented ID cards and the truth about them, for
// measuring OCR: cardgen [-n people] [-seed n] DIR.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"huizhi/internal/ocr/cardgen"
)

func main() {
	people := flag.Int("n", 20, "number of people; each gives eight or nine pictures")
	seed := flag.Uint64("seed", 1, "equal seeds give equal pictures, given the same fonts and day")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: cardgen [-n people] [-seed n] DIR")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *people, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "cardgen:", err)
		os.Exit(1)
	}
}

func run(dir string, people int, seed uint64) error {
	fonts, err := cardgen.SystemFonts()
	if err != nil {
		return err
	}
	return cardgen.New(fonts, rand.New(rand.NewPCG(seed, 0))).WriteSet(dir, people, time.Now())
}
