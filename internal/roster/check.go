package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/roster/sheet"
	"huizhi/internal/tenants"
)

// chunk is how many rows are compared or written in one transaction. Between two,
// other work gets at the database.
const chunk = 500

// Check reads the rows of an import, compares them with the roster, and leaves it
// Checked with its rows and counts, or Failed. It may be run again.
func (s *Service) Check(ctx context.Context, sc tenants.Scope, importID string) error {
	im, err := s.Import(ctx, sc, importID)
	if err != nil || im.State != Checking {
		return err
	}
	err = s.check(ctx, sc, im)
	var refused *apperr.Error
	if errors.As(err, &refused) {
		im.State, im.ProblemKey, im.ProblemArgs = Failed, refused.Key, refused.Args
		return saveImport(ctx, s.DB, sc, im, s.now())
	}
	return err
}

func (s *Service) check(ctx context.Context, sc tenants.Scope, im *Import) error {
	r, err := s.Get(ctx, sc, im.RosterID)
	if err != nil {
		return err
	}
	im.RosterVersion = r.Version
	file, err := s.Blobs.OpenFile(ctx, im.BlobKey)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("cannot look at the file: %w", err)
	}
	if im.Columns == nil {
		table, err := sheet.Open(file, info.Size())
		if err != nil {
			return err
		}
		if err := s.layOut(ctx, sc, im, table); err != nil {
			return err
		}
	}
	if err := deleteRows(ctx, s.DB, sc, im.ID); err != nil {
		return err
	}
	c := &comparison{Service: s, sc: sc, im: im, ids: map[string]first{}, students: map[string]first{}, names: map[string]first{}, people: map[string]first{}}
	if hasName(im.Columns) {
		table, err := sheet.Open(file, info.Size())
		if err != nil {
			return err
		}
		if err := c.all(ctx, table); err != nil {
			return err
		}
	}
	return c.finish(ctx)
}

func hasName(columns []Column) bool {
	return slices.ContainsFunc(columns, func(c Column) bool { return c.Field == Name })
}

// layOut finds the header and the columns in the first rows.
func (s *Service) layOut(ctx context.Context, sc tenants.Scope, im *Import, table *sheet.Table) error {
	var told []header
	if err := s.DB.NewSelect().Model(&told).ApplyQueryBuilder(sc.Where).Scan(ctx); err != nil {
		return fmt.Errorf("cannot load what is known of columns: %w", err)
	}
	known := make(map[string]Field, len(told))
	for _, h := range told {
		known[h.Header] = h.Field
	}
	var head []sheet.Row
	for row, err := range table.Rows() {
		if err != nil {
			return err
		}
		head = append(head, sheet.Row{Number: row.Number, Cells: slices.Clone(row.Cells)})
		if len(head) == lookAhead {
			break
		}
	}
	l := guess(head, known)
	if len(l.columns) == 0 {
		return apperr.New(apperr.Invalid, "error.roster.empty_file")
	}
	im.Format, im.HeaderRow, im.Columns, im.Total = string(table.Format), l.header, l.columns, max(table.Total, 1)
	return nil
}

// comparison is the check of one import. Beside a chunk of rows it keeps, for each
// row, the numbers that must not come twice.
type comparison struct {
	*Service
	sc       tenants.Scope
	im       *Import
	ids      map[string]first // by ID number
	students map[string]first // by class and student number
	names    map[string]first // by class and name, of rows without any number
	people   map[string]first // by the person of the roster whom the row is about
	late     []Row            // rows that turned out wrong when a later one was read
	rows     []Row
}

// first is the row in which something stood first.
type first struct {
	row    int
	values Values
}

func (c *comparison) all(ctx context.Context, table *sheet.Table) error {
	c.im.Total = max(table.Total, 1)
	for row, err := range table.Rows() {
		if err != nil {
			return err
		}
		if row.Number <= c.im.HeaderRow {
			continue
		}
		v, issues := read(row, c.im.Columns)
		if v == (Values{}) && len(issues) == 1 && issues[0].Field == Name && issues[0].Key == "roster.issue.name_missing" {
			continue // nothing but notes in columns that are left out
		}
		line := Row{TenantID: c.sc.TenantID(), ImportID: c.im.ID, Row: row.Number, Values: v, Issues: issues}
		if len(issues) > 0 {
			line.Kind = Refused
		}
		c.rows = append(c.rows, line)
		if len(c.rows) == chunk {
			if err := c.compare(ctx, table.Read()); err != nil {
				return err
			}
		}
	}
	if len(c.rows) > 0 {
		return c.compare(ctx, table.Read())
	}
	return nil
}

// compare finds the people of the rows that were read, and writes the rows.
func (c *comparison) compare(ctx context.Context, done int64) error {
	known, err := c.candidates(ctx)
	if err != nil {
		return err
	}
	for i := range c.rows {
		if c.rows[i].Kind != Refused {
			c.judge(&c.rows[i], known)
		}
	}
	err = c.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&c.rows).Exec(ctx); err != nil {
			return errors.New("cannot write the rows") // the cause would repeat what is in them
		}
		c.im.Done = min(done, c.im.Total)
		_, err := tx.NewUpdate().Model((*Import)(nil)).Set("done = ?, total = ?, updated_at = ?", c.im.Done, c.im.Total, c.now()).
			ApplyQueryBuilder(c.sc.Where).Where("id = ?", c.im.ID).Exec(ctx)
		return err
	})
	c.rows = c.rows[:0]
	return err
}

// known are the people of the roster that rows may be about.
type known struct {
	ids      map[string]*Person
	students map[string][]*Person
	names    map[string][]*Person
}

func (c *comparison) candidates(ctx context.Context) (known, error) {
	k := known{ids: map[string]*Person{}, students: map[string][]*Person{}, names: map[string][]*Person{}}
	for _, f := range []Field{IDNumber, StudentNumber, Name} {
		var values []string
		for _, row := range c.rows {
			if v := row.Values.Get(f); v != "" && row.Kind != Refused {
				values = append(values, v)
			}
		}
		if len(values) == 0 {
			continue
		}
		var people []*Person
		err := c.DB.NewSelect().Model(&people).ApplyQueryBuilder(c.sc.Where).
			Where("roster_id = ? AND ? IN (?)", c.im.RosterID, bun.Ident(string(f)), bun.List(values)).Scan(ctx)
		if err != nil {
			return k, errors.New("cannot look for people of the roster") // the cause would repeat the values
		}
		for _, p := range people {
			switch f {
			case IDNumber:
				k.ids[p.IDNumber] = p
			case StudentNumber:
				k.students[p.StudentNumber] = append(k.students[p.StudentNumber], p)
			case Name:
				k.names[p.Name] = append(k.names[p.Name], p)
			}
		}
	}
	return k, nil
}

// judge says what becomes of a row without faults of its own.
func (c *comparison) judge(row *Row, k known) {
	p, issue := identify(row.Values, k)
	if issue != nil {
		row.refuse(*issue)
		return
	}
	said := row.Values
	row.Kind = Added
	if p != nil {
		row.PersonID = &p.ID
		row.merge(p)
	}
	if c.repeated(row, said) {
		return
	}
	c.remember(row, said)
}

func (r *Row) refuse(is Issue) {
	r.Kind, r.PersonID, r.Former, r.Issues = Refused, nil, nil, append(r.Issues, is)
}

// merge takes over what the row says, where it says something and no person has
// said otherwise by hand.
func (r *Row) merge(p *Person) {
	next := p.Values
	for _, f := range Fields {
		v := r.Values.Get(f)
		switch {
		case v == "" || v == next.Get(f):
		case slices.Contains(p.Edited, f):
			r.Issues = append(r.Issues, Issue{Field: f, Key: "roster.issue.kept_by_hand"})
		default:
			*next.at(f) = v
		}
	}
	if r.Kind, r.Values = Same, next; next != p.Values {
		former := p.Values
		r.Kind, r.Former = Changed, &former
	}
}

// once is something that must not come twice in a file.
type once struct {
	in    map[string]first // where it is kept
	key   string
	issue Issue // that it is when it does
}

func (c *comparison) keys(row *Row) []once {
	v := row.Values
	var out []once
	if v.IDNumber != "" {
		out = append(out, once{c.ids, v.IDNumber, Issue{Field: IDNumber, Key: "roster.issue.same_number"}})
	}
	class := v.Grade + "\x00" + v.Class + "\x00"
	if v.StudentNumber != "" {
		out = append(out, once{c.students, class + v.StudentNumber, Issue{Field: StudentNumber, Key: "roster.issue.same_student_number"}})
	}
	if v.IDNumber == "" && v.StudentNumber == "" {
		out = append(out, once{c.names, class + v.Name, Issue{Field: Name, Key: "roster.issue.same_name"}})
	}
	if row.PersonID != nil {
		out = append(out, once{c.people, *row.PersonID, Issue{Key: "roster.issue.same_person"}})
	}
	return out
}

// repeated refuses a row that stands in the file before. Where the two differ,
// nothing tells which is right, and neither is imported.
func (c *comparison) repeated(row *Row, said Values) bool {
	for _, e := range c.keys(row) {
		before, ok := e.in[e.key]
		if !ok {
			continue
		}
		if before.values == said {
			row.refuse(Issue{Key: "roster.issue.repeated", Row: before.row})
			return true
		}
		wrong := Row{Row: before.row, Values: before.values}
		e.issue.Row = row.Row
		wrong.refuse(e.issue)
		c.late = append(c.late, wrong)
		e.issue.Row = before.row
		row.Values = said
		row.refuse(e.issue)
		return true
	}
	return false
}

func (c *comparison) remember(row *Row, said Values) {
	for _, e := range c.keys(row) {
		e.in[e.key] = first{row.Row, said}
	}
}

// schoolWide is the length from which on a student number is one of the whole
// school; shorter ones may be given out in each class anew.
const schoolWide = 5

// identify finds whom of the roster a row is about; nil if it is somebody new.
func identify(v Values, k known) (*Person, *Issue) {
	var p *Person
	if v.IDNumber != "" {
		p = k.ids[v.IDNumber]
	}
	numbered := k.students[v.StudentNumber]
	for _, q := range numbered {
		sameClass := q.Grade == v.Grade && q.Class == v.Class
		only := len(numbered) == 1 && len(v.StudentNumber) >= schoolWide
		switch {
		case p != nil && q.ID == p.ID:
		case p == nil && (q.Name == v.Name || (sameClass || only) && !differ(q.IDNumber, v.IDNumber)):
			p = q
		case sameClass:
			return nil, &Issue{Field: StudentNumber, Key: "roster.issue.student_number_taken"}
		}
	}
	if p != nil {
		return p, nil
	}
	for _, q := range k.names[v.Name] {
		if q.Grade != v.Grade || q.Class != v.Class || differ(q.IDNumber, v.IDNumber) || differ(q.StudentNumber, v.StudentNumber) {
			continue
		}
		if p != nil {
			return nil, &Issue{Field: Name, Key: "roster.issue.namesakes"}
		}
		p = q
	}
	return p, nil
}

// differ tells that two numbers are there and are not the same.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

// finish counts and leaves the import to a person.
func (c *comparison) finish(ctx context.Context) error {
	return c.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for i := range c.late {
			_, err := tx.NewUpdate().Model(&c.late[i]).Column("kind", "person_id", "former", "issues", "vals").
				ApplyQueryBuilder(c.sc.Where).Where("import_id = ? AND row = ?", c.im.ID, c.late[i].Row).Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot refuse a row: %w", err)
			}
		}
		var kinds []struct {
			Kind Kind
			N    int64
		}
		err := tx.NewSelect().Model((*Row)(nil)).Column("kind").ColumnExpr("count(*) AS n").ApplyQueryBuilder(c.sc.Where).
			Where("import_id = ?", c.im.ID).Group("kind").Scan(ctx, &kinds)
		if err != nil {
			return fmt.Errorf("cannot count the rows: %w", err)
		}
		c.im.Counts = Counts{}
		for _, k := range kinds {
			switch k.Kind {
			case Added:
				c.im.Counts.Added = k.N
			case Changed:
				c.im.Counts.Changed = k.N
			case Same:
				c.im.Counts.Same = k.N
			case Refused:
				c.im.Counts.Refused = k.N
			}
		}
		n, err := tx.NewSelect().Model((*Person)(nil)).Apply(missing(c.sc, c.im)).Count(ctx)
		if err != nil {
			return fmt.Errorf("cannot count who is missing: %w", err)
		}
		c.im.Counts.Missing = int64(n)
		now, err := getImport(ctx, tx, c.sc, c.im.ID)
		if err != nil || now.State != Checking {
			return err // dropped meanwhile
		}
		c.im.State, c.im.Done = Checked, c.im.Total
		return saveImport(ctx, tx, c.sc, c.im, c.now())
	})
}
