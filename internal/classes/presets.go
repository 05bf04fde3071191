package classes

import (
	"slices"

	"huizhi/internal/classes/naming"
	"huizhi/internal/photos/specs"
)

// Photos says which file of a photo an export has.
type Photos string

// The files.
const (
	Finished Photos = "finished" // the copy made for the receipt
	Original Photos = "original" // as it came
	Xueji    Photos = "xueji"    // 全国中小学生学籍信息管理系统
	CHSI     Photos = "chsi"     // 学信网, as universities ask their new students
)

// AllPhotos lists them in the order in which they are offered.
var AllPhotos = []Photos{Finished, Original, Xueji, CHSI}

// Preset is what a school's system asks of the photos it takes in.
type Preset struct {
	Spec     specs.Spec
	Template string // the name that it goes by; Fixed if it takes no other
	Fixed    bool
}

// kB is a thousand bytes: what is below 60 of them is also below 60 KiB.
const kB = 1000

// presets. Their systems refuse archives with folders or with anything but photos, so
// the index of such an export is a file of its own.
//
// The confidence is that of the size in bytes for the encoder, which keeps to it only
// when it is high; a photo beyond it is left out. That of the sources is: 学籍 high,
// 学信网 medium (universities ask for 50–100 KB, some only for 30 KB and more; both are
// held by 50 KiB to 100 kB).
var presets = map[Photos]Preset{
	Xueji: {Template: "{" + naming.Words[naming.IDNumber] + "}", Fixed: true, Spec: specs.Spec{
		Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350, Backgrounds: []specs.Background{specs.LightBlue},
		FileBytes: specs.Range{Max: 60*kB - 1}, Confidence: specs.High,
		Sources: []string{"https://xiexiebang.com/a9/201905144/26f042e0efae3376.html"},
	}},
	CHSI: {Template: "{" + naming.Words[naming.IDNumber] + "}", Spec: specs.Spec{
		Width: 480, Height: 640, WidthMM: 40.6, HeightMM: 54.2, DPI: 300, Backgrounds: []specs.Background{specs.Blue, specs.White},
		FileBytes: specs.Range{Min: 50 << 10, Max: 100 * kB}, Confidence: specs.High,
		Sources: []string{"https://www.toshi-sunada.com/jwc/tzgg/4347fce404d248dfa9948a1aa1d2e849.htm", "https://www.guet.edu.cn/utsc/2025/1011/c5309a143226/page.htm"},
	}},
}

// Preset is what the files have to be; ok is false for those that are kept already.
func (p Photos) Preset() (preset Preset, ok bool) {
	preset, ok = presets[p]
	return preset, ok
}

func (p Photos) known() bool { return slices.Contains(AllPhotos, p) }
