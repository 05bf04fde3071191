// Package cardgen makes pictures of invented resident identity cards, with the
// layout of real ones, as scanners, phones and copiers take them, together
// with the truth about them: for measuring OCR engines and for demonstrations.
// The people do not exist, and nothing makes the cards pass for real: there is
// no emblem, no security print and no photograph.
package cardgen

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
)

// Person is what a card says about its owner, in the forms of package ocr.
type Person struct {
	Name, Sex, Ethnicity, BirthDate, Address, IDNumber string
	Authority, ValidFrom, ValidUntil                   string
	NameKind                                           string // Common, Dotted or Rare
}

// Kinds of names.
const (
	Common = "common"
	Dotted = "dot"  // of several parts with a middle dot
	Rare   = "rare" // with a character that few people can read
)

// Alphabets of names, the frequent first names and surnames of the censuses
// and of newspapers' lists of names that counters stumble over.
var (
	surnames     = []rune("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤")
	twoSurnames  = strings.Fields("欧阳 司马 上官 诸葛 尉迟 皇甫 慕容 令狐")
	rareSurnames = []rune("亓仝逄乜佴禤濮邸郗郤晁麴仉郇鄞酆綦訾蒯宓殳廑昝缑亢璩厍")
	givenNames   = []rune("伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文华建国红玉梅志海波宇浩然子轩梓涵雨欣思佳怡俊博鑫婷雪琳慧颖晨阳家豪诗琪依诺一鸣春生德福永清立新")
	rareGiven    = []rune("喆垚淼焱彧祎玥昶芃祺婧暄珺甯峤璟瑄晞斐燚堃犇骁昇翀赟旻昉骉曌璠瑀沄玢堉埕嬿岽峣嶓忞怿惇懋攽旸暻曈栩桢棽楙橦歆毓沨泠浛浥淏淦湉溦潆澔濋炆烜焜煊燊猷玙珩珝琎琤琬瑗瑭璁璎瓒睎禛竑筱箐粲翚翯聿胤芊苒荇莜菀葳蓁蘅衎觏訚诒谞赑轶邈铮闳雩霈頔颋飏骎鲲鹍黟鼐龑")
	dottedNames  = strings.Fields("买买提·吐尔逊 阿依古丽·艾合买提 迪丽努尔·阿不都热依木 古丽娜尔·买买提 艾力·吾斯曼 巴合提·木拉提")
)

// ethnicities repeats that of most people, so that a choice among equals
// resembles the population, with more of the others than there are.
var ethnicities = append(strings.Fields(strings.Repeat("汉 ", 64)),
	strings.Fields("回 藏 苗 壮 满 蒙古 土家 傣 哈尼 彝 朝鲜 布依 侗 仡佬 鄂温克")...)

// areas are county codes of GB/T 2260 with what cards print for them.
var areas = []struct{ code, address, authority string }{
	{"110105", "北京市朝阳区", "北京市公安局朝阳分局"},
	{"310115", "上海市浦东新区", "上海市公安局浦东分局"},
	{"440305", "广东省深圳市南山区", "深圳市公安局南山分局"},
	{"330106", "杭州市西湖区", "杭州市公安局西湖区分局"},
	{"510107", "四川省成都市武侯区", "成都市公安局武侯区分局"},
	{"420106", "武汉市武昌区", "武汉市公安局武昌分局"},
	{"610113", "西安市雁塔区", "西安市公安局雁塔分局"},
	{"320102", "南京市玄武区", "南京市公安局玄武分局"},
	{"350203", "福建省厦门市思明区", "厦门市公安局思明分局"},
	{"370202", "山东省青岛市市南区", "青岛市公安局市南分局"},
	{"430102", "长沙市芙蓉区", "长沙市公安局芙蓉分局"},
	{"210102", "沈阳市和平区", "沈阳市公安局和平分局"},
	{"230103", "哈尔滨市南岗区", "哈尔滨市公安局南岗分局"},
	{"410105", "郑州市金水区", "郑州市公安局金水路分局"},
	{"130102", "石家庄市长安区", "石家庄市公安局长安分局"},
	{"340104", "合肥市蜀山区", "合肥市公安局蜀山分局"},
	{"450103", "南宁市青秀区", "南宁市公安局青秀分局"},
	{"500112", "重庆市渝北区", "重庆市公安局渝北区分局"},
	{"520102", "贵阳市南明区", "贵阳市公安局南明分局"},
	{"540102", "拉萨市城关区", "拉萨市公安局城关分局"},
	{"650102", "乌鲁木齐市天山区", "乌鲁木齐市公安局天山区分局"},
	{"522634", "贵州省雷山县", "雷山县公安局"},
	{"532901", "云南省大理市", "大理市公安局"},
	{"330782", "浙江省义乌市", "义乌市公安局"},
	{"320583", "江苏省昆山市", "昆山市公安局"},
	{"433125", "湖南省保靖县", "保靖县公安局"},
	{"222401", "吉林省延吉市", "延吉市公安局"},
	{"341602", "安徽省亳州市谯城区", "亳州市公安局谯城分局"},
	{"441481", "广东省兴宁市", "兴宁市公安局"},
	{"621124", "甘肃省临洮县", "临洮县公安局"},
}

var (
	streets  = strings.Fields("人民路 中山北路 解放大道 建设街 和平里 学院南路 滨江大道 翠竹巷 梧桐街 望京西园 科技园路 朝晖新村 锦绣花园 长青街道幸福里社区")
	villages = strings.Fields("龙泉镇石桥村 清溪乡白塔村 凤凰镇东塘村 沙河镇杨柳庄村")
)

// NewPerson invents somebody with a valid number and a card that is valid on
// the day or has expired in the years before.
func NewPerson(r *rand.Rand, today time.Time) Person {
	area := pick(r, areas)
	p := Person{Sex: pick(r, []string{"男", "女"}), Ethnicity: pick(r, ethnicities), Authority: area.authority}
	p.Name, p.NameKind = newName(r)
	if p.NameKind == Dotted {
		p.Ethnicity = pick(r, []string{"维吾尔", "哈萨克"})
	}
	birth := today.AddDate(-11-r.IntN(68), 0, -r.IntN(365))
	p.BirthDate = birth.Format(time.DateOnly)
	p.IDNumber = newNumber(r, area.code, birth, p.Sex)
	p.Address = area.address + newPlace(r)
	p.ValidFrom, p.ValidUntil = newTerm(r, birth, today)
	return p
}

func newName(r *rand.Rand) (name, kind string) {
	switch n := r.IntN(20); {
	case n == 0:
		return pick(r, dottedNames), Dotted
	case n == 1:
		return string(pick(r, rareSurnames)) + string(pick(r, givenNames)) + string(pick(r, givenNames)), Rare
	case n < 5:
		return string(pick(r, surnames)) + string(pick(r, givenNames)) + string(pick(r, rareGiven)), Rare
	case n == 5:
		return string(pick(r, surnames)) + string(pick(r, rareGiven)), Rare
	case n == 6:
		return pick(r, twoSurnames) + string(pick(r, givenNames)), Common
	case n < 11:
		return string(pick(r, surnames)) + string(pick(r, givenNames)), Common
	default:
		return string(pick(r, surnames)) + string(pick(r, givenNames)) + string(pick(r, givenNames)), Common
	}
}

func newNumber(r *rand.Rand, area string, birth time.Time, sex string) string {
	sequence := 2 * r.IntN(500)
	if sex == "男" {
		sequence++
	}
	number := fmt.Sprintf("%s%s%03d", area, birth.Format("20060102"), sequence)
	return number + string(idnumber.CheckDigit(number))
}

func newPlace(r *rand.Rand) string {
	between := func(low, high int) int { return low + r.IntN(high-low+1) }
	switch n := r.IntN(10); {
	case n < 2:
		return fmt.Sprintf("%s%d组%d号", pick(r, villages), between(1, 12), between(1, 199))
	case n < 5:
		return fmt.Sprintf("%s%d号", pick(r, streets), between(1, 999))
	case n < 8:
		return fmt.Sprintf("%s%d号%d栋%d单元%d室", pick(r, streets), between(1, 999), between(1, 30), between(1, 4), between(101, 3205))
	default:
		return fmt.Sprintf("%s%d弄%d号%d室", pick(r, streets), between(1, 999), between(1, 60), between(101, 1805))
	}
}

// newTerm follows article 5 of the Law on Resident Identity Cards: 5 years
// below 16, 10 up to 25, 20 up to 45, then without end.
func newTerm(r *rand.Rand, birth, today time.Time) (from, until string) {
	age := func(day time.Time) int { return int(day.Sub(birth).Hours() / 24 / 365.25) }
	issued := today.AddDate(-r.IntN(min(12, age(today))), 0, -r.IntN(300))
	years := 20
	switch a := age(issued); {
	case a < 16:
		years = 5
	case a < 26:
		years = 10
	case a >= 46:
		return issued.Format(time.DateOnly), ocr.LongTerm
	}
	return issued.Format(time.DateOnly), issued.AddDate(years, 0, 0).Format(time.DateOnly)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
