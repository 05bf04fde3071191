package demo

import (
	"fmt"
	"slices"
	"time"

	"huizhi/internal/orders"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// shanghai is the zone of the studio's opening hours.
var shanghai = time.FixedZone("CST", 8*3600)

// product is what the studio sells, by the provider's catalogue.
type product struct {
	typeID int
	name   string
	cities []string
	faces  int // the type whose portraits fit
}

var (
	residence = product{4, "居住证相片", []string{"广东省,深圳市"}, CommonType}
	insurance = product{3, "社会保障卡数字相片", []string{"广东省,深圳市", "广东省,广州市", "广东省,东莞市", "广东省,惠州市"}, CommonType}
	guards    = product{15, "保安管理人员/保安员证相片", []string{"广东省,佛山市"}, CommonType}
	hailing   = product{6, "深圳市网约车驾驶员数码相片", []string{"广东省,深圳市"}, CommonType}
	licence   = product{5, "机动车驾驶证数字相片", []string{"广东省,深圳市"}, DriverType}
)

func (p product) requires() []string {
	if p.typeID == licence.typeID {
		return []string{providers.CityField, providers.IDCardField}
	}
	return []string{providers.CityField}
}

// job is a batch as planned.
type job struct {
	name    string
	folder  string // of the uploaded files, "" at the counter
	product product
	city    string
	visits  []time.Time // when each order was made, by time
	trouble []trouble   // of the last orders
}

// trouble is an order that did not work out, and why.
type trouble struct {
	status  orders.Status
	message string // the provider's sentence, or for a rejection the catalogue key
}

// commission is a shooting out of the house.
type commission struct {
	name, folder string
	product      product
	city         string
	people       int
	trouble      []trouble
}

// house is a tenant as planned.
type house struct {
	name         string
	kind         tenants.Kind
	owner, email string
	counter      bool         // people come in every working day
	prepaid      bool         // receipts are paid for from a wallet
	commissions  []commission // in the order of time; their days are spread over the months
}

// studio is where the visitor signs in.
var studio = house{"晨光照相馆", tenants.KindStore, "林晨光", Email, true, false, []commission{
	{"云图科技 · 新入职", "云图科技", residence, "广东省,深圳市", 22, nil},
	{"一(4)班 · 社保卡", "一(4)班", insurance, "广东省,广州市", 24, nil},
	{"安泰物业 · 保安员证", "安泰物业", guards, "广东省,佛山市", 14, nil},
	{"驾校 9 期 · 驾驶证", "驾校9期", licence, "广东省,深圳市", 12, []trouble{
		{orders.StatusRejected, "provider.1007"},
	}},
	{"三(2)班 · 居住证", "三(2)班", residence, "广东省,深圳市", 23, []trouble{
		{orders.StatusFailed, "照片宽高比例不符合要求"}, {orders.StatusFailed, "证件照下载失败,请检查图片链接"},
	}},
	{"顺程出行 · 网约车", "顺程出行", hailing, "广东省,深圳市", 18, []trouble{
		{orders.StatusFailed, "照片分辨率不足"}, {orders.StatusRejected, "provider.1005"},
	}},
}}

// neighbours are other tenants, so that the platform's finance sees more than one.
var neighbours = []house{
	{"启明实验小学", tenants.KindSchool, "许文慧", "school@huizhi.example", false, false, []commission{
		{"一(1)班 · 社保卡", "一(1)班", insurance, "广东省,广州市", 18, nil},
		{"二(3)班 · 社保卡", "二(3)班", insurance, "广东省,广州市", 16, nil},
		{"三(1)班 · 社保卡", "三(1)班", insurance, "广东省,广州市", 17, nil},
	}},
	{"恒信人力资源", tenants.KindCompany, "沈立", "company@huizhi.example", false, true, []commission{
		{"新入职 · 居住证", "入职", residence, "广东省,深圳市", 12, nil},
		{"保安项目 · 佛山", "保安", guards, "广东省,佛山市", 15, nil},
		{"网约车项目 · 深圳", "网约车", hailing, "广东省,深圳市", 9, []trouble{{orders.StatusFailed, "照片分辨率不足"}}},
	}},
}

// firstDay is the beginning, in Shanghai, of the month before the last.
func firstDay(now time.Time) time.Time {
	local := now.In(shanghai)
	return time.Date(local.Year(), local.Month()-2, 1, 0, 0, 0, 0, shanghai).UTC()
}

// workdays are the days, Monday to Saturday, from the first day to now.
func workdays(now time.Time) []time.Time {
	var days []time.Time
	for d := firstDay(now).In(shanghai); d.Before(now); d = d.AddDate(0, 0, 1) {
		if d.Weekday() != time.Sunday {
			days = append(days, d)
		}
	}
	return days
}

// plan decides who came when: at the counter a few people a day, more on
// Saturdays, one batch a week and product in turn; commissions on days in
// between. Nothing is planned that would not be finished by now.
func (f *filler) plan() []job {
	days := workdays(f.now)
	var jobs []job
	for i, c := range f.house.commissions {
		// The last one lies a few days back, the first one at the beginning.
		day := days[min(len(days)-1, (2*i+1)*len(days)/(2*len(f.house.commissions)))]
		j := job{name: c.name, folder: c.folder, product: c.product, city: c.city, trouble: c.trouble}
		for range c.people {
			j.visits = append(j.visits, day.Add(9*time.Hour+30*time.Minute+f.upTo(150*time.Minute)))
		}
		jobs = append(jobs, j)
	}
	for f.house.counter && len(days) > 0 {
		week := days
		if monday := slices.IndexFunc(days[1:], func(d time.Time) bool { return d.Weekday() == time.Monday }); monday >= 0 {
			week = days[:monday+1]
		}
		days = days[len(week):]
		p := []product{residence, insurance}[len(jobs)%2]
		j := job{name: fmt.Sprintf("柜台 %s · %s", week[0].Format("01-02"), shortName(p)), product: p, city: p.cities[f.random.IntN(len(p.cities))]}
		for _, day := range week {
			people := 2 + f.random.IntN(3)
			if day.Weekday() == time.Saturday {
				people += 2
			}
			for range people {
				j.visits = append(j.visits, day.Add(9*time.Hour+f.upTo(8*time.Hour+30*time.Minute)))
			}
		}
		jobs = append(jobs, j)
	}
	for i := range jobs {
		j := &jobs[i]
		slices.SortFunc(j.visits, time.Time.Compare)
		j.visits = slices.DeleteFunc(j.visits, func(t time.Time) bool { return t.Add(longest).After(f.now) })
	}
	return slices.DeleteFunc(jobs, func(j job) bool { return len(j.visits) == 0 })
}

func shortName(p product) string {
	if p.typeID == insurance.typeID {
		return "社保卡"
	}
	return "居住证"
}

// upTo is a random duration in whole seconds.
func (f *filler) upTo(d time.Duration) time.Duration {
	return time.Duration(f.random.Int64N(int64(d/time.Second))) * time.Second
}
