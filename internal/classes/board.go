package classes

import (
	"context"
	"fmt"
	"slices"

	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// Counts are people by state, in the order of States.
type Counts [7]int64

// Of is how many are in a state.
func (c Counts) Of(s State) int64 { return c[slices.Index(States, s)] }

// Total is how many there are.
func (c Counts) Total() int64 {
	n := int64(0)
	for _, v := range c {
		n += v
	}
	return n
}

func (c *Counts) add(other Counts) {
	for i, n := range other {
		c[i] += n
	}
}

// Class is a row of the board.
type Class struct {
	Name   string // "" for people without a class
	Counts Counts
}

// Grade is a grade with its classes.
type Grade struct {
	Name    string // "" for people without a grade
	Counts  Counts
	Classes []Class
}

// Board is where a roster's people are, as people count their classes.
type Board struct {
	Counts Counts
	Grades []Grade
}

// Of restricts the board to a grade, or to a class of it; nil is all.
func (b *Board) Of(grade, class *string) Counts {
	var out Counts
	for _, g := range b.Grades {
		if grade != nil && g.Name != *grade {
			continue
		}
		for _, c := range g.Classes {
			if class == nil || c.Name == *class {
				out.add(c.Counts)
			}
		}
	}
	return out
}

// Board counts the people of a roster by class and state, with the orders of one batch
// unless that is "". One statement: it reads one index of the people and one of the
// orders, each once, whatever the number of orders beside them.
func (s *Service) Board(ctx context.Context, sc tenants.Scope, rosterID, batchID string) (*Board, error) {
	var rows []struct {
		Grade, Class, Place string
		State               State
		People              int64
	}
	err := s.DB.NewSelect().Model((*roster.Person)(nil)).Column("grade", "class").ColumnExpr("min(place) AS place").
		ColumnExpr("coalesce((SELECT "+stateOf+counted(batchID)+"), ?) AS state", append(with(batchID, s.now().Add(Soon)), NoPhoto)...).
		ColumnExpr("count(*) AS people").ApplyQueryBuilder(sc.Where).Where("roster_id = ?", rosterID).
		GroupExpr("grade, class, state").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot count the classes: %w", err)
	}
	type key struct{ grade, class string }
	counts, first := map[key]*Counts{}, map[key]string{}
	var order []key
	for _, r := range rows {
		k := key{r.Grade, r.Class}
		if counts[k] == nil {
			counts[k], first[k], order = new(Counts), r.Place, append(order, k)
		}
		counts[k][slices.Index(States, r.State)] = r.People
		first[k] = min(first[k], r.Place)
	}
	slices.SortFunc(order, func(a, b key) int {
		if first[a] < first[b] {
			return -1
		}
		return 1
	})
	out := new(Board)
	grades := map[string]int{}
	for _, k := range order {
		i, known := grades[k.grade]
		if !known {
			i = len(out.Grades)
			grades[k.grade], out.Grades = i, append(out.Grades, Grade{Name: k.grade})
		}
		g := &out.Grades[i]
		g.Classes = append(g.Classes, Class{k.class, *counts[k]})
		g.Counts.add(*counts[k])
		out.Counts.add(*counts[k])
	}
	return out, nil
}
