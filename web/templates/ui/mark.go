package ui

import "slices"

// markRun is a stretch of characters that are all marked or all not.
type markRun struct {
	text   string
	marked bool
}

func markRuns(text string, differ []int) []markRun {
	var runs []markRun
	for i, r := range []rune(text) {
		marked := slices.Contains(differ, i)
		if len(runs) == 0 || runs[len(runs)-1].marked != marked {
			runs = append(runs, markRun{marked: marked})
		}
		runs[len(runs)-1].text += string(r)
	}
	return runs
}
