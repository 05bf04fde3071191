package validity

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/photos/specs"
)

func TestEveryRowSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, r := range Rules() {
		require.False(t, names[r.Name], "two rows are called %s", r.Name)
		names[r.Name] = true
		require.Positive(t, r.Days, r.Name)
		require.Positive(t, r.Photo.Months, r.Name)
		lists := map[string][]Source{"validity": r.Sources, "photo": r.Photo.Sources}
		if len(r.Reuse.Documents) > 0 {
			lists["reuse"] = r.Reuse.Sources
		}
		for what, sources := range lists {
			require.NotEmpty(t, sources, "%s of %s", what, r.Name)
			for _, s := range sources {
				u, err := url.Parse(s.URL)
				require.NoError(t, err)
				require.NotEmpty(t, u.Host, "%s of %s", what, r.Name)
				_, err = time.Parse(time.DateOnly, s.Seen)
				require.NoError(t, err, "%s of %s: a source bears the day on which it was read", what, r.Name)
				if s.Published != "" {
					_, err = time.Parse(time.DateOnly, s.Published)
					require.NoError(t, err)
				}
			}
		}
		for _, c := range []Confidence{r.Confidence, r.Reuse.Confidence, r.Photo.Confidence} {
			require.Contains(t, []string{"high", "medium", "low"}, c.String())
		}
	}
	last := table[len(table)-1]
	require.Nil(t, last.Documents, "the last row holds for everything")
	require.Empty(t, last.City)
	require.Equal(t, specs.Low, last.Confidence, "it is an assumption")
}

// Dates that are kept bear the edition of the table they were reckoned by.
func TestAChangedTableHasANewEdition(t *testing.T) {
	t.Parallel()
	type row struct {
		Documents []Document
		City      string
		Days      int
	}
	var rows []row
	for _, r := range table {
		rows = append(rows, row{r.Documents, r.City, r.Days})
	}
	text, err := json.Marshal(rows)
	require.NoError(t, err)
	sum := sha256.Sum256(text)
	require.Equal(t, "1 0c4437c78fee", string('0'+byte(Edition))+" "+hex.EncodeToString(sum[:6]),
		"the days of a row have changed: raise Edition and put the new sum here")
}

func TestTheMostSpecialRowHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typeID     int
		name, city string
		days       int
	}{
		{1, "第二代居民身份证数字相片", "广东省,佛山市", 60},
		{1, "第二代居民身份证数字相片", "青海省,青海市", 60},
		{1, "第二代居民身份证数字相片", "广东省,深圳市", 180},
		{1, "第二代居民身份证数字相片", "广东省,广州市", 180},
		{2, "护照及港澳通行证数字相片", "广东省,深圳市", 60},
		{2, "护照及港澳通行证数字相片", "广东省,广州市", 180},
		{3, "社会保障卡数字相片", "广东省,珠海市", 180},
		{4, "居住证相片", "广东省,深圳市", 180},
		{5, "机动车驾驶证数字相片", "广东省,韶关市", 180},
		{7, "婴儿社保卡数字相片", "广东省,深圳市", 180},
		{11, "港澳台居民居住证数字相片", "广东省,深圳市", 60},
		{6, "深圳市网约车驾驶员数码相片", "广东省,深圳市", 60},
		{13, "健美操项目年度备案专用相片", "广东省,深圳市", 60},
		{99, "什么新证", "云南省,昆明市", 60},
		{41, "居民身份证", "湖南省,长沙市", 60}, // another number, the same document
		{5, "", "广东省,韶关市", 180},      // no name, the number tells
	} {
		require.Equal(t, c.days, For(c.typeID, c.name, c.city).Days, "%s in %s", c.name, c.city)
	}
}

func TestWhichReceiptServesWhat(t *testing.T) {
	t.Parallel()
	const identity, residence, social, senior, driver = "第二代居民身份证数字相片", "居住证相片", "社会保障卡数字相片", "深圳市敬老优待证", "机动车驾驶证数字相片"
	serves := func(have, want, city string) bool { return For(0, have, city).Serves(0, want) }
	require.True(t, serves(identity, social, shenzhen))
	require.True(t, serves(residence, identity, shenzhen))
	require.True(t, serves(social, senior, shenzhen))
	require.False(t, serves(senior, social, shenzhen), "nobody says so")
	require.False(t, serves(identity, driver, shenzhen))
	require.True(t, serves(identity, driver, guangzhou))
	require.False(t, serves(identity, social, "广东省,佛山市"))
	require.False(t, serves("健美操项目年度备案专用相片", "律师资格证数字相片", shenzhen))
}

func TestDaysAreCountedInChina(t *testing.T) {
	t.Parallel()
	r := Rule{Days: 60}
	came := time.Date(2026, 11, 21, 16, 30, 0, 0, time.UTC) // 00:30 on the 22nd in Shanghai
	until := r.Until(came)
	require.Equal(t, time.Date(2027, 1, 20, 16, 0, 0, 0, time.UTC), until)
	require.Equal(t, time.Date(2027, 1, 20, 0, 0, 0, 0, time.UTC), LastDay(until), "day 60, if the 22nd is day 1")
	require.Equal(t, until, EndOf(LastDay(until)))
	require.Equal(t, 60, DaysLeft(until, came))
	require.Equal(t, 1, DaysLeft(until, until.Add(-time.Second)), "its last day")
	require.Equal(t, 0, DaysLeft(until, until))
	require.Equal(t, -3, DaysLeft(until, until.AddDate(0, 0, 3)))
}

func TestAPhotoGrowsOld(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	require.Equal(t, PhotoFresh, halfYear.Age(now.AddDate(0, -6, 0), now))
	require.Equal(t, PhotoOld, halfYear.Age(now.AddDate(0, -6, -1), now))
	require.Equal(t, PhotoBarred, driverPhoto.Age(now.AddDate(0, -6, -1), now))
}
