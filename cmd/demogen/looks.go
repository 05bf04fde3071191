package main

import (
	"image/color"
	"math/rand/v2"
)

// looks invents n people's appearances; neighbours differ.
func looks(n int) []look {
	r := rand.New(rand.NewPCG(11, 0))
	rgb := func(r, g, b uint8) color.RGBA { return color.RGBA{r, g, b, 255} }
	hair := []color.RGBA{rgb(30, 26, 26), rgb(58, 42, 34), rgb(40, 32, 30), rgb(92, 66, 46), rgb(22, 22, 28), rgb(150, 146, 142), rgb(74, 40, 30)}
	clothes := []color.RGBA{rgb(32, 44, 72), rgb(40, 40, 44), rgb(96, 34, 44), rgb(28, 84, 88), rgb(88, 92, 104), rgb(58, 78, 50), rgb(120, 84, 110), rgb(60, 90, 140)}
	shirts := []color.RGBA{rgb(236, 238, 244), rgb(206, 222, 240), rgb(240, 226, 226), rgb(226, 236, 222)}
	all := make([]look, n)
	for i := range all {
		all[i] = look{
			Hair: hair[i%len(hair)], Clothes: clothes[(3*i+i/8)%len(clothes)], Shirt: shirts[i%len(shirts)],
			Skin: .9 + .16*r.Float64(), Warmth: .14*r.Float64() - .02, Width: 1 + .1*r.Float64(),
			Long: i%3 == 1, Glasses: i%4 == 2, Mirrored: i%2 == 1, Collar: collar(i % 3),
			Background: rgb(255, 255, 255),
		}
	}
	return all
}
