package ppocr

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// raster is a picture in packed 8-bit RGB, the form in which lines are cut out.
type raster struct {
	width, height int
	pix           []uint8 // 3 x width x height
}

// newRaster converts a picture, shrunk by a whole factor: each pixel is the
// mean of shrink x shrink of the picture's. What does not fill a pixel on the
// right and the bottom is lost.
func newRaster(m image.Image, shrink int) *raster {
	size := m.Bounds().Size().Div(shrink)
	r := &raster{size.X, size.Y, make([]uint8, 3*size.X*size.Y)}
	switch m := m.(type) {
	case *image.YCbCr:
		r.fromYCbCr(m, shrink)
	case *image.Gray:
		r.fromGray(m, shrink)
	default:
		r.fromAny(m, shrink)
	}
	return r
}

func (r *raster) fromYCbCr(m *image.YCbCr, shrink int) {
	i := 0
	for y := range r.height {
		top := m.Rect.Min.Y + y*shrink
		luminance := m.Y[m.YOffset(m.Rect.Min.X, top):]
		for x := range r.width {
			v := mean(luminance[x*shrink:], m.YStride, shrink)
			// Colour is coarser than luminance already, the middle sample is enough.
			c := m.COffset(m.Rect.Min.X+x*shrink+shrink/2, top+shrink/2)
			r.pix[i], r.pix[i+1], r.pix[i+2] = color.YCbCrToRGB(v, m.Cb[c], m.Cr[c])
			i += 3
		}
	}
}

// mean of the n x n bytes at the beginning of rows that are a stride apart.
func mean(pix []uint8, stride, n int) uint8 {
	if n == 1 {
		return pix[0]
	}
	var sum int
	for y := range n {
		for _, v := range pix[y*stride : y*stride+n] {
			sum += int(v)
		}
	}
	return uint8((sum + n*n/2) / (n * n))
}

func (r *raster) fromGray(m *image.Gray, shrink int) {
	i := 0
	for y := range r.height {
		row := m.Pix[m.PixOffset(m.Rect.Min.X, m.Rect.Min.Y+y*shrink):]
		for x := range r.width {
			v := mean(row[x*shrink:], m.Stride, shrink)
			r.pix[i], r.pix[i+1], r.pix[i+2] = v, v, v
			i += 3
		}
	}
}

// fromAny converts strip by strip, so that a large picture is not held twice.
func (r *raster) fromAny(m image.Image, shrink int) {
	bounds := m.Bounds()
	n := shrink * shrink
	strip := image.NewRGBA(image.Rect(0, 0, r.width*shrink, shrink))
	i := 0
	for y := range r.height {
		draw.Draw(strip, strip.Rect, image.White, image.Point{}, draw.Src) // behind what is transparent
		draw.Draw(strip, strip.Rect, m, bounds.Min.Add(image.Pt(0, y*shrink)), draw.Over)
		for x := range r.width {
			var sum [3]int
			for dy := range shrink {
				o := strip.PixOffset(x*shrink, dy)
				for range shrink {
					sum[0] += int(strip.Pix[o])
					sum[1] += int(strip.Pix[o+1])
					sum[2] += int(strip.Pix[o+2])
					o += 4
				}
			}
			for c := range sum {
				r.pix[i+c] = uint8((sum[c] + n/2) / n)
			}
			i += 3
		}
	}
}

// part copies a rectangle.
func (r *raster) part(rect image.Rectangle) *raster {
	p := &raster{rect.Dx(), rect.Dy(), make([]uint8, 3*rect.Dx()*rect.Dy())}
	for y := range p.height {
		copy(p.pix[3*y*p.width:][:3*p.width], r.pix[3*((rect.Min.Y+y)*r.width+rect.Min.X):])
	}
	return p
}

func (r *raster) half() *raster {
	h := &raster{r.width / 2, r.height / 2, make([]uint8, 3*(r.width/2)*(r.height/2))}
	for y := range h.height {
		a := r.pix[2*y*r.width*3:]
		b := r.pix[(2*y+1)*r.width*3:]
		d := h.pix[y*h.width*3 : (y+1)*h.width*3]
		for x := 0; x < len(d); x += 3 {
			for c := range 3 {
				i := 2*x + c
				d[x+c] = uint8((int(a[i]) + int(a[i+3]) + int(b[i]) + int(b[i+3]) + 2) >> 2)
			}
		}
	}
	return h
}

// normalization is what a model expects of a channel: (value/255 - mean) / std.
type normalization struct{ mean, std float32 }

// The channels are blue, green and red, in which order OpenCV reads pictures
// and all the models were trained. (The detector's constants are those of
// ImageNet for red, green and blue, but were trained in this order.)
var (
	forDetection   = [3]normalization{{.485, .229}, {.456, .224}, {.406, .225}}
	forRecognition = [3]normalization{{.5, .5}, {.5, .5}, {.5, .5}}
)

// resize writes the whole picture, scaled bilinearly, as three planes.
func (r *raster) resize(planes []float32, width, height int, norm [3]normalization) {
	src := r
	for src.width >= 2*width && src.height >= 2*height {
		src = src.half()
	}
	var value [3][256]float32
	for c, n := range norm {
		for v := range 256 {
			value[c][v] = (float32(v)/255 - n.mean) / n.std
		}
	}
	columns := make([]sample, width)
	for x := range columns {
		columns[x] = sampleAt((float64(x)+.5)*float64(src.width)/float64(width)-.5, src.width)
	}
	size := width * height
	for y := range height {
		row := sampleAt((float64(y)+.5)*float64(src.height)/float64(height)-.5, src.height)
		upper := src.pix[row.i*src.width*3 : (row.i+1)*src.width*3]
		lower := src.pix[(row.i+row.step)*src.width*3 : (row.i+row.step+1)*src.width*3]
		out := y * width
		for x, column := range columns {
			i, j := column.i*3, (column.i+column.step)*3
			for c := range 3 {
				table := &value[c]
				rgb := 2 - c
				a, b := table[upper[i+rgb]], table[upper[j+rgb]]
				d, e := table[lower[i+rgb]], table[lower[j+rgb]]
				top, bottom := a+(b-a)*column.f, d+(e-d)*column.f
				planes[c*size+out+x] = top + (bottom-top)*row.f
			}
		}
	}
}

// sample is a place between pixel i and pixel i+step.
type sample struct {
	i, step int
	f       float32
}

func sampleAt(v float64, n int) sample {
	v = min(max(v, 0), float64(n-1))
	i := min(int(v), max(n-2, 0))
	return sample{i, min(1, n-1-i), float32(v - float64(i))}
}

// cut samples a quad into width x height pixels of RGB. Quads much taller than
// height are averaged over several samples a pixel. Places beyond the picture
// repeat its edge.
func (r *raster) cut(q quad, width, height int, set func(x, y int, rgb [3]float32)) {
	right := q.topRight.sub(q.topLeft).times(1 / float64(width))
	down := q.bottomLeft.sub(q.topLeft).times(1 / float64(height))
	n := min(max(int(math.Round(down.length())), 1), 4)
	share := 1 / float32(n*n)
	maxX, maxY := float64(r.width-1), float64(r.height-1)
	stride := 3 * r.width
	for y := range height {
		for x := range width {
			var sum [3]float32
			for j := range n {
				v := float64(y) + (float64(j)+.5)/float64(n)
				for i := range n {
					u := float64(x) + (float64(i)+.5)/float64(n)
					px := min(max(q.topLeft.x+right.x*u+down.x*v-.5, 0), maxX)
					py := min(max(q.topLeft.y+right.y*u+down.y*v-.5, 0), maxY)
					ix, iy := min(int(px), r.width-2), min(int(py), r.height-2)
					fx, fy := float32(px-float64(ix)), float32(py-float64(iy))
					k := iy*stride + 3*ix
					upper := r.pix[k : k+6 : k+6]
					lower := r.pix[k+stride : k+stride+6 : k+stride+6]
					for c := range 3 {
						a := float32(upper[c]) + (float32(upper[c+3])-float32(upper[c]))*fx
						b := float32(lower[c]) + (float32(lower[c+3])-float32(lower[c]))*fx
						sum[c] += a + (b-a)*fy
					}
				}
			}
			set(x, y, [3]float32{sum[0] * share, sum[1] * share, sum[2] * share})
		}
	}
}

// line writes a quad as three planes of paddedWidth x height, of which the
// first width columns are used; the rest is mid-grey.
func (r *raster) line(planes []float32, q quad, width, height, paddedWidth int) {
	size := paddedWidth * height
	clear(planes[:3*size])
	r.cut(q, width, height, func(x, y int, rgb [3]float32) {
		i := y*paddedWidth + x
		for c, n := range forRecognition {
			planes[c*size+i] = (rgb[2-c]/255 - n.mean) / n.std
		}
	})
}

// crop returns a quad as an upright picture.
func (r *raster) crop(q quad, width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	r.cut(q, width, height, func(x, y int, rgb [3]float32) {
		i := m.PixOffset(x, y)
		m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = uint8(rgb[0]+.5), uint8(rgb[1]+.5), uint8(rgb[2]+.5), 255
	})
	return m
}
