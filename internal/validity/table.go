package validity

import "huizhi/internal/photos/specs"

const (
	guangzhou = "广东省,广州市"
	shenzhen  = "广东省,深圳市"
)

// What was read, and when. A page without a date of its own is worth less.
var (
	general   = Source{URL: "https://m.dqbk.net/changshi/4ZOM8V0K3p.html", Published: "2025-01-11", Seen: "2026-11-22"}
	vendor    = Source{URL: "https://023wlan.com/sfz/1857.html", Seen: "2026-11-22"}
	magazine  = Source{URL: "https://www.sohu.com/a/788761419_121990236", Seen: "2026-11-22"}
	merged    = Source{URL: "https://ycpai.ycwb.com/ycppad/content/2021-09/13/content_40266350.html", Published: "2021-09-13", Seen: "2026-11-22"}
	exchange  = Source{URL: "http://www.zhiyoubaobao.com/jxwd/4603/46031202.html", Seen: "2026-11-22"}
	seniors   = Source{URL: "http://bsy.sz.bendibao.com/bsyDetail/608049.html", Seen: "2026-11-22"}
	drivers   = Source{URL: "https://126506.com/zhishi/ij0k.html", Seen: "2026-11-22"}
	oldPhotos = Source{URL: "https://023wlan.com/sfz/2414.html", Seen: "2026-11-22"}
)

// halfYear is what offices ask of a photo as a rule; for identity cards a vendor
// says three years, so nobody is refused over it.
var halfYear = Photo{Months: 6, Confidence: specs.Low, Sources: []Source{oldPhotos}}

// driverPhoto follows GA 482, which the source quotes.
var driverPhoto = Photo{Months: 6, Strict: true, Confidence: specs.High, Sources: []Source{drivers}}

// inShenzhen: the receipts of these three are taken for each other, and for the
// card of honour of the elderly.
var inShenzhen = Reuse{Documents: []Document{Identity, Residence, Social, Senior}, Confidence: specs.Medium, Sources: []Source{exchange, seniors}}

// table is read from the top; the first row that fits holds. Where sources
// differ, the shorter time is taken: a date too early costs a look at the
// receipt, one too late a walk to the office.
var table = []Rule{
	{Name: "guangzhou_driver", Documents: []Document{Driver}, City: guangzhou, Days: 180, Confidence: specs.High, Sources: []Source{merged},
		Reuse: inGuangzhou, Photo: driverPhoto},
	{Name: "guangzhou_merged", Documents: []Document{Identity, ExitEntry}, City: guangzhou, Days: 180, Confidence: specs.High, Sources: []Source{merged},
		Reuse: inGuangzhou, Photo: halfYear},
	{Name: "shenzhen_identity", Documents: []Document{Identity}, City: shenzhen, Days: 180, Confidence: specs.Medium, Sources: []Source{general, vendor},
		Reuse: inShenzhen, Photo: halfYear},
	{Name: "shenzhen_shared", Documents: []Document{Residence, Social}, City: shenzhen, Days: 180, Confidence: specs.Medium, Sources: []Source{general},
		Reuse: inShenzhen, Photo: halfYear},
	{Name: "driver", Documents: []Document{Driver}, Days: 180, Confidence: specs.Medium, Sources: []Source{general}, Photo: driverPhoto},
	{Name: "social", Documents: []Document{Social}, Days: 180, Confidence: specs.Medium, Sources: []Source{general, magazine}, Photo: halfYear},
	{Name: "residence", Documents: []Document{Residence}, Days: 180, Confidence: specs.Low, Sources: []Source{general, magazine}, Photo: halfYear},
	{Name: "identity", Documents: []Document{Identity}, Days: 60, Confidence: specs.Medium, Sources: []Source{general, vendor}, Photo: halfYear},
	{Name: "default", Days: 60, Confidence: specs.Low, Sources: []Source{general}, Photo: halfYear},
}

// inGuangzhou: one receipt for all three, since 2021-08-13. Whether the provider
// hands out that one is not known, hence no more than a hint.
var inGuangzhou = Reuse{Documents: []Document{Driver, ExitEntry, Identity}, Confidence: specs.Low, Sources: []Source{merged}}
