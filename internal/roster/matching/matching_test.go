package matching

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

var school = []Person{
	{"a", "李雷", "110101201503070017", "2026001", "三年级", "三(2)班"},
	{"b", "韩梅梅", "", "2026002", "三年级", "三(2)班"},
	{"c", "李雷", "", "2026003", "三年级", "三(3)班"},
	{"d", "买买提·吐尔逊", "", "", "高一", "高一（3）班"},
	{"e", "欧阳翀", "", "7", "高一", "高一（3）班"},
	{"f", "Amy Chen", "", "2026-006", "高一", "高一（3）班"},
}

// matched says for each file whose it is and why, or why it is nobody's.
func matched(people []Person, files ...string) map[string]string {
	photos := make([]Photo, len(files))
	for i, f := range files {
		photos[i] = Photo{ID: f, File: f}
	}
	out := map[string]string{}
	for _, r := range Match(photos, people, nil) {
		if r.Person != "" {
			out[r.Photo] = r.Person + " by " + string(r.By)
		} else {
			out[r.Photo] = fmt.Sprint(r.Reason, r.Candidates)
		}
	}
	return out
}

func TestWhoseAPhotoIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, want string }{
		"ID number":                           {"110101201503070017.jpg", "a by id_number"},
		"ID number among other words":         {"x/李雷_110101201503070017_照片.jpg", "a by id_number"},
		"national pupil number":               {"G110101201503070017.jpg", "a by id_number"},
		"student number":                      {"2026002.jpg", "b by student_number"},
		"student number written in parts":     {"2026-002.jpg", "b by student_number"},
		"full-width digits":                   {"２０２６００２.jpg", "b by student_number"},
		"name":                                {"韩梅梅.jpg", "b by name"},
		"name with a counter":                 {"韩梅梅 (1).JPG", "b by name"},
		"name with words about the picture":   {"韩梅梅-证件照-白底.jpg", "b by name"},
		"name with its class":                 {"三2班韩梅梅.jpg", "b by name_class"},
		"one of two namesakes by folder":      {"三年级/3班/李雷.jpg", "c by name_class"},
		"the folder may be written otherwise": {"三（2）班/李雷.jpg", "a by name_class"},
		"two namesakes":                       {"李雷.jpg", "namesakes[a c]"},
		"two namesakes of a year":             {"三年级/李雷.jpg", "namesakes[a c]"},
		"middle dots of any kind":             {"买买提•吐尔逊.png", "d by name"},
		"Latin name":                          {"amy_chen.jpg", "f by name"},
		"number within a class":               {"高一3班/7.jpg", "e by student_number"},
		"a short number alone is a counter":   {"7.jpg", "no_evidence[]"},
		"number of another in the class":      {"高一3班/买买提·吐尔逊_7.jpg", "d by name_class"},
		"the folder names another class":      {"三(3)班/韩梅梅.jpg", "other_class[b]"},
		"name and number contradict":          {"2026002_欧阳翀.jpg", "contradiction[b e]"},
		"an ID number that is not on it":      {"11010119900101123X.jpg", "no_evidence[]"},
		"a valid ID number that is not on it": {"110101199001011237.jpg", "not_on_roster[]"},
		"a camera's counter is nobody's":      {"IMG_2026002.jpg", "no_evidence[]"},
		"somebody else":                       {"张三.jpg", "no_evidence[]"},
		"a name that is part of another's":    {"欧阳.jpg", "no_evidence[]"},
		"nothing at all":                      {".jpg", "no_evidence[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			people := append([]Person{{"z", "独一人", "", "", "九年级", "9班"}}, school...)
			require.Equal(t, c.want, matched(people, c.file)[c.file])
		})
	}
}

func TestTwoPhotosOfOnePersonAreLeftToAPerson(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]string{"韩梅梅_1.jpg": "two_photos[b]", "韩梅梅_2.jpg": "two_photos[b]"}, matched(school, "韩梅梅_1.jpg", "韩梅梅_2.jpg"))
}

func TestTheBetterEvidenceWins(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]string{"2026002.jpg": "b by student_number", "韩梅梅.jpg": "taken[b]"}, matched(school, "韩梅梅.jpg", "2026002.jpg"))
}

func TestWhoHasAPhotoGetsNoOther(t *testing.T) {
	t.Parallel()
	r := Match([]Photo{{ID: "1", File: "韩梅梅.jpg"}}, school, map[string]bool{"b": true})
	require.Equal(t, []Result{{Photo: "1", Reason: Taken, Candidates: []string{"b"}}}, r)
}

func TestTheOrderOfTakingIsASuggestion(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]string{"三(2)班/IMG_9.jpg": "sequence[a]", "三(2)班/IMG_10.jpg": "sequence[b]"},
		matched(school, "三(2)班/IMG_10.jpg", "三(2)班/IMG_9.jpg"))
	require.Equal(t, map[string]string{"三(2)班/IMG_9.jpg": "sequence[b]", "三(2)班/李雷.jpg": "a by name_class"},
		matched(school, "三(2)班/IMG_9.jpg", "三(2)班/李雷.jpg"), "who has a photo is passed over")
	require.Equal(t, map[string]string{"三(2)班/IMG_1.jpg": "no_evidence[]"}, matched(school, "三(2)班/IMG_1.jpg"), "as many photos as people, or none")
}

func TestClassKeys(t *testing.T) {
	t.Parallel()
	for want, ways := range map[string][]string{
		"3.2":   {"三(2)班", "三（2）班", "三年级2班", "三2班", "3.2班", "3年级(02)班", "三年级二班"},
		"3级":    {"三年级", "3年级"},
		"高1.3":  {"高一（3）班", "高一3班", "高一年级3班"},
		"12.10": {"十二年级十班", "12年级10班"},
		"护理3.2": {"护理三(2)班"},
		"20":    {"二十班"},
		"23":    {"二十三班"},
		"":      {"", "班", "()"},
	} {
		for _, w := range ways {
			require.Equal(t, want, ClassKey(w), w)
		}
	}
}

func TestSortKeysCountAsPeopleDo(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"二年级", "十年级"}, {"九年级", "十一年级"}, {"IMG_9", "IMG_10"}, {"2班", "10班"}, {"三(2)班", "三(10)班"}} {
		require.Less(t, SortKey(pair[0]), SortKey(pair[1]), "%v", pair)
	}
}

// However files are called: nobody gets two photos, no photo goes to two people,
// and nobody who has one gets another.
func TestNoPhotoGoesToTwoPeople(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"李雷", "韩梅梅", "王芳", "欧阳翀"}
	for range 500 {
		people, photos, taken := randomSchool(rng, names)
		has := map[string]string{}
		for _, r := range Match(photos, people, taken) {
			require.Equal(t, r.Person == "", r.Reason != "", "either a person or a reason")
			require.Equal(t, r.Person == "", r.By == "")
			if r.Person == "" {
				continue
			}
			require.False(t, taken[r.Person], "%s had a photo", r.Person)
			require.Empty(t, has[r.Person], "two photos of one person")
			has[r.Person] = r.Photo
		}
	}
}

func randomSchool(rng *rand.Rand, names []string) ([]Person, []Photo, map[string]bool) {
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	var people []Person
	taken := map[string]bool{}
	for i := range 1 + rng.IntN(12) {
		p := Person{ID: fmt.Sprint("p", i), Name: pick(names...), Grade: pick("三年级", "四年级", ""), Class: pick("1班", "三(2)班", "")}
		if rng.IntN(2) == 0 {
			p.StudentNumber = fmt.Sprint(pick("20260", "", "0"), i%7)
		}
		if rng.IntN(3) == 0 {
			p.IDNumber = fmt.Sprintf("1101012015030700%02d", i)
		}
		taken[p.ID] = rng.IntN(5) == 0
		people = append(people, p)
	}
	var photos []Photo
	for i := range rng.IntN(16) {
		file := pick("", "三年级/1班/", "三(2)班/", "别处/") + pick(append(names, "", "IMG_", "x")...) + pick("", "_", " ") +
			fmt.Sprint(pick("", "20260", "1101012015030700"), rng.IntN(14)) + ".jpg"
		photos = append(photos, Photo{ID: fmt.Sprint("f", i), File: file})
	}
	return people, photos, taken
}

func FuzzMatch(f *testing.F) {
	f.Add("三(2)班/李雷.jpg", "李雷", "2026001", "三年级", "2班")
	f.Add("\xff/.", "\x00", "", "十", "〇")
	f.Fuzz(func(t *testing.T, file, name, number, grade, class string) {
		people := []Person{{ID: "a", Name: name, StudentNumber: number, Grade: grade, Class: class}, {ID: "b", Name: name, Grade: class, Class: grade}}
		given := map[string]bool{}
		for _, r := range Match([]Photo{{ID: "1", File: file}, {ID: "2", File: file + "2", Card: Before{Person: "a"}}}, people, nil) {
			if r.Person != "" && given[r.Person] {
				t.Fatal("two photos of one person")
			}
			given[r.Person] = true
		}
		SortKey(file)
	})
}

// Matching takes time in proportion to photos and people: compare the figures.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			people, photos := make([]Person, n), make([]Photo, n)
			for i := range n {
				grade, class := fmt.Sprint(i/400, "年级"), fmt.Sprint(i/40, "班")
				people[i] = Person{ID: fmt.Sprint(i), Name: fmt.Sprintf("李%c%c", '一'+rune(i%5000), '丁'+rune(i/5000)), StudentNumber: fmt.Sprint(20260000 + i), Grade: grade, Class: class}
				file := people[i].Name
				if i%2 == 0 {
					file = people[i].StudentNumber
				}
				photos[i] = Photo{ID: fmt.Sprint(i), File: grade + "/" + class + "/" + file + ".jpg"}
			}
			for b.Loop() {
				matches := 0
				for _, r := range Match(photos, people, nil) {
					if r.Person != "" {
						matches++
					}
				}
				require.Greater(b, matches, n*9/10)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/photo")
		})
	}
}

// The number on the document beside a photo is offered, before the order of taking,
// and gives the photo to nobody by itself.
func TestTheNumberOnADocumentIsASuggestion(t *testing.T) {
	t.Parallel()
	people := []Person{{ID: "a", Name: "李雷", IDNumber: "11010119900307803X"}, {ID: "b", Name: "韩梅梅", IDNumber: "110101199003071997"}, {ID: "c", Name: "王芳"}}
	got := Match([]Photo{
		{ID: "1", File: "IMG_1.jpg", Number: "110101199003071997"},
		{ID: "2", File: "IMG_2.jpg"},
		{ID: "3", File: "李雷.jpg", Number: "110101199003071997"},
	}, people, nil)
	require.Equal(t, []Result{
		{Photo: "1", Reason: OnDocument, Candidates: []string{"b"}},
		{Photo: "2", Reason: InSequence, Candidates: []string{"c"}},
		{Photo: "3", Person: "a", By: ByName},
	}, got)
	taken := Match([]Photo{{ID: "1", File: "IMG_1.jpg", Number: "110101199003071997"}}, people, map[string]bool{"b": true})
	require.Equal(t, NoEvidence, taken[0].Reason, "who has a photo gets no other")
}
