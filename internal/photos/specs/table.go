package specs

// kb is the unit the sources give file sizes in.
const kb = 1024

// idCardHead is the head rule of GA 461-2004, which several other receipts refer to: face 207±14 px wide,
// hair 7 to 21 px below the edge, pupils at least 207 px above the lower edge, on 358 by 441 px.
var (
	idCardFace = Range{193, 221}
	idCardTop  = Range{7, 21}
	idCardEyes = Range{207, 0}
)

// table is ordered by TypeID. The ids are the provider's.
var table = []Spec{
	{ // 第二代居民身份证
		TypeID: 1, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White},
		FaceWidth:   idCardFace, TopMargin: idCardTop, EyesToBottom: idCardEyes,
		FileBytes:  Range{14 * kb, 20 * kb},
		Confidence: High,
		Note:       "GA 461-2004 as quoted by the sources; when margins conflict the eyes win; no uniform, no white top",
		Sources: []string{
			"http://www.wwpfw.com/waihuikaihu/91836.html",
			"https://0551fangchan.com/2022-08-24/08413681.html",
			"https://m.agwz.net/changshi/g8pK3MwpkO.html",
		},
	},
	{ // 护照及港澳通行证
		TypeID: 2, Width: 390, Height: 567, WidthMM: 33, HeightMM: 48, DPI: 300,
		Backgrounds: []Background{White, LightGrey, LightBlue},
		FaceWidth:   Range{177, 284}, TopMargin: Range{35, 60},
		FileBytes:  Range{30 * kb, 80 * kb},
		Confidence: Medium,
		Note:       "head 15-22 mm (new guide) against 21-24 mm (older): the union is taken; 354x472 is the 3:4 upload size, not 33x48 mm",
		Sources: []string{
			"http://shbk.net/techan/276856.html",
			"https://bbs.sgcn.org/thread-16277781-3-1.html",
			"http://uianet.net/dictionary/b8974985.html",
			"https://shidian.gov.cn/info/2676/1956243.htm",
		},
	},
	{ // 社会保障卡
		TypeID: 3, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White},
		FaceWidth:   Range{155, 221}, TopMargin: idCardTop, EyesToBottom: idCardEyes,
		FileBytes:  Range{20 * kb, 200 * kb},
		Confidence: Medium,
		Note:       "as the ID card; one source allows a face from 155 px; file size is the Guangzhou upload's",
		Sources: []string{
			"https://w.sf024.com/info/170123953.html",
			"http://husay.cn/a/202209/584227.html",
			"http://m.ccschy.com/techan/237006.html",
			"https://sz.shebaobaike.com/sbk/1581.html",
		},
	},
	{ // 居住证
		TypeID: 4, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White},
		FaceWidth:   idCardFace, TopMargin: idCardTop, EyesToBottom: idCardEyes,
		FileBytes:  Range{14 * kb, 20 * kb},
		Confidence: Medium,
		Note:       "as the ID card, with which it is said to be interchangeable in Shenzhen",
		Sources:    []string{"http://www.zhiyoubaobao.com/jxwd/4603/46031202.html"},
	},
	{ // 机动车驾驶证
		TypeID: 5, Width: 260, Height: 378, WidthMM: 22, HeightMM: 32, DPI: 300,
		Backgrounds: []Background{White},
		FaceWidth:   Range{165, 189}, TopMargin: Range{10, 20},
		FileBytes:  Range{14 * kb, 30 * kb},
		Confidence: High,
		Note:       "GA 482: head 14-16 mm wide, 19-22 mm (224-260 px) long; photo at most 6 months old",
		Sources: []string{
			"https://126506.com/zhishi/ij0k.html",
			"https://wenxiaoda.com/2024/0516/390738.html",
		},
	},
	{ // 深圳市网约车驾驶员
		TypeID: 6, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White},
		Confidence:  Low, Assumed: true, Note: "nothing found",
	},
	{ // 婴儿社保卡
		TypeID: 7, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White},
		Confidence:  Low, Assumed: true, Note: "only generic advice: white or plain background, relaxed for infants",
		Sources: []string{"http://www.jsxddx.cn/post/9748.html"},
	},
	{ // 会计人员
		TypeID: 8, Width: 295, Height: 413, WidthMM: 25, HeightMM: 35, DPI: 300,
		Backgrounds: []Background{White},
		FileBytes:   Range{10 * kb, 0},
		Confidence:  Medium,
		Note:        "the national exam's photo tool: at least 295x413; shoulders, ears and brows visible",
		Sources: []string{
			"https://www.szyzgt.com/kjisc/121441.html",
			"https://023wlan.com/caiji/2872.html",
		},
	},
	{ // 退役军人优待证
		TypeID: 9, Width: 352, Height: 440, WidthMM: 29.8, HeightMM: 37.3, DPI: 300,
		Backgrounds: []Background{White},
		FileBytes:   Range{20 * kb, 50 * kb},
		Confidence:  High,
		Note:        "head about two thirds of the picture; no hat, no uniform, no visible logo; millimetres follow from pixels and dpi",
		Sources: []string{
			"http://m.ccschy.com/techan/154473.html",
			"http://m.ddtbk.com/techan/506d97a96653a607fd32b15522f66fa7.html",
		},
	},
	{ // 深圳市敬老优待证
		TypeID: 10, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White},
		Confidence:  Medium,
		Note:        "by implication: the city's common receipt; an older ID, residence or social-card receipt is accepted too",
		Sources:     []string{"http://bsy.sz.bendibao.com/bsyDetail/608049.html"},
	},
	{ // 港澳台居民居住证
		TypeID: 11, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White, LightGrey, LightBlue},
		FaceWidth:   idCardFace, TopMargin: idCardTop, EyesToBottom: idCardEyes,
		Confidence: Low, Assumed: true, Note: "as the ID card; one source also allows light grey and light blue",
		Sources: []string{"https://023wlan.com/jzz/1875.html"},
	},
	{ // 深圳市暂住老人免费乘车证
		TypeID: 12, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White},
		Confidence:  Low, Assumed: true, Note: "nothing found",
	},
	{ // 健美操项目年度备案
		TypeID: 13, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Confidence: Low, Assumed: true, Note: "nothing found, not even the background",
	},
	{ // 律师资格证
		TypeID: 14, Width: 413, Height: 626, WidthMM: 35, HeightMM: 53, DPI: 300,
		Backgrounds: []Background{White, Blue, Red},
		FileBytes:   Range{40 * kb, 100 * kb},
		Confidence:  Low,
		Note:        "the national legal exam's rule, not the receipt's; head about two thirds; must not be enlarged",
		Sources:     []string{"https://233.com/sf/gonggao/202210/25090913158024.html"},
	},
	{ // 保安管理人员/保安员证
		TypeID: 15, Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White},
		Confidence:  Medium,
		Note:        "one vendor: head about two thirds, no uniform, pure white",
		Sources:     []string{"https://www.minhui6.com/post/121.html"},
	},
}
