package panel

import (
	"errors"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/providers/simulator/wire"
)

// form is the page's form for a new rule as it was filled in, for showing it again.
type form struct {
	Op, Kind, After, Percent, Calls, Seconds, Code, Status, Message string
	Problem                                                         string // key of the text, "" if none
}

// emptyForm is a rule that many want: the answer to a submit is lost after it was accepted.
var emptyForm = form{Op: string(wire.OpSubmit), Kind: string(wire.Reset), After: "on", Percent: "100", Status: wire.Unfinished[1]}

func (p *panel) page(w http.ResponseWriter, r *http.Request) { p.show(w, r, http.StatusOK, emptyForm) }

// show writes the page.
func (p *panel) show(w http.ResponseWriter, r *http.Request, status int, f form) {
	ctx := language(w, r)
	w.Header().Set("Content-Type", wire.TypeHTML)
	w.WriteHeader(status)
	page(p.State(), p.Faults(), f).Render(ctx, w) // an error means that the browser has gone
}

// live writes the part of the page that changes by itself.
func (p *panel) live(w http.ResponseWriter, r *http.Request) {
	ctx := language(w, r)
	w.Header().Set("Content-Type", wire.TypeHTML)
	live(p.State()).Render(ctx, w)
}

func back(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, Path, http.StatusSeeOther) }

func (p *panel) addFault(w http.ResponseWriter, r *http.Request) {
	f := form{
		Op: r.PostFormValue("op"), Kind: r.PostFormValue("kind"), After: r.PostFormValue("after"), Percent: r.PostFormValue("percent"),
		Calls: r.PostFormValue("calls"), Seconds: r.PostFormValue("seconds"), Code: r.PostFormValue("code"),
		Status: r.PostFormValue("status"), Message: r.PostFormValue("message"),
	}
	fault, err := f.fault()
	if err != nil {
		f.Problem = "simulator.problem.kind"
		if problem, ok := errors.AsType[*wire.Problem](err); ok {
			f.Problem = "simulator.problem." + problem.Field
		}
		p.show(w, r, http.StatusUnprocessableEntity, f)
		return
	}
	rules := p.Faults()
	rules.List = append(rules.List, fault)
	p.SetFaults(rules)
	back(w, r)
}

// fault reads the form. An error is a *wire.Problem. What the kind does not use is left out.
func (f form) fault() (wire.Fault, error) {
	fault := wire.Fault{Op: wire.Op(f.Op), Kind: wire.Kind(f.Kind), After: f.After != ""}
	if uses(fault.Kind, "seconds") {
		seconds, err := strconv.ParseFloat(f.Seconds, 64)
		if err != nil || !(seconds > 0 && seconds <= 3600) {
			return fault, &wire.Problem{Field: "delay"}
		}
		fault.Delay = time.Duration(math.Round(seconds*1000)) * time.Millisecond
	}
	if uses(fault.Kind, "code") {
		fault.Code, _ = strconv.Atoi(strings.TrimSpace(f.Code)) // Check refuses 0
	}
	if uses(fault.Kind, "status") {
		fault.Status = f.Status
	}
	if uses(fault.Kind, "message") {
		fault.Message = strings.TrimSpace(f.Message)
	}
	if !uses(fault.Kind, "after") {
		fault.After = false
	}
	if f.Percent != "" {
		percent, err := strconv.ParseFloat(f.Percent, 64)
		if err != nil {
			return fault, &wire.Problem{Field: "rate"}
		}
		fault.Rate = percent / 100
	}
	for _, word := range strings.FieldsFunc(f.Calls, func(r rune) bool { return strings.ContainsRune(" ,，、", r) }) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return fault, &wire.Problem{Field: "calls"}
		}
		fault.Calls = append(fault.Calls, n)
	}
	return fault, fault.Check()
}

// uses reports whether a kind of fault needs a field of the form.
func uses(k wire.Kind, field string) bool {
	switch field {
	case "seconds":
		return k == wire.Delay || k == wire.Late
	case "code":
		return k == wire.Code
	case "status":
		return k == wire.Stuck
	case "message":
		return k == wire.Fail
	}
	return slices.Contains([]wire.Kind{
		wire.Delay, wire.Reset, wire.Cut, wire.Truncated, wire.Malformed, wire.Empty, wire.HTML, wire.ServerError, wire.Throttle, wire.Code, wire.Quota,
	}, k)
}

// removeFault removes the rule that the form holds as JSON: its place in the list may have changed meanwhile.
func (p *panel) removeFault(w http.ResponseWriter, r *http.Request) {
	var fault wire.Fault
	rules := p.Faults()
	if fault.UnmarshalJSON([]byte(r.PostFormValue("fault"))) == nil {
		if i := slices.IndexFunc(rules.List, func(f wire.Fault) bool { return reflect.DeepEqual(f, fault) }); i >= 0 {
			rules.List = slices.Delete(rules.List, i, i+1)
			p.SetFaults(rules)
		}
	}
	back(w, r)
}

func (p *panel) clearFaults(w http.ResponseWriter, r *http.Request) {
	p.SetFaults(wire.Faults{Seed: p.Faults().Seed})
	back(w, r)
}

func (p *panel) addBalance(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("add")))
	if err == nil {
		err = p.Add(r.PostFormValue("account"), n)
	}
	if err != nil {
		f := emptyForm
		f.Problem = "simulator.problem.add"
		p.show(w, r, http.StatusUnprocessableEntity, f)
		return
	}
	back(w, r)
}

// presets are rules that trainings begin with; their names are in the catalogue.
var presets = []struct {
	Name  string
	Fault form
}{
	{"lost", form{Op: "submit", Kind: "reset", After: "on", Percent: "100"}},
	{"down", form{Op: "submit", Kind: "server_error", Percent: "100"}},
	{"slow", form{Op: "submit", Kind: "delay", Seconds: "8", Percent: "100"}},
	{"broke", form{Op: "submit", Kind: "quota", Percent: "100"}},
	{"stuck", form{Op: "work", Kind: "stuck", Status: "processing", Percent: "100"}},
	{"fail", form{Op: "work", Kind: "fail", Message: "照片背景不合格", Percent: "50"}},
	{"silent", form{Op: "callback", Kind: "lost", Percent: "100"}},
	{"forged", form{Op: "callback", Kind: "forged", Percent: "100"}},
}

// groups are operations that stand for all with the same kinds of faults.
var groups = []wire.Op{wire.OpSubmit, wire.OpWork, wire.OpCallback}

// group names an operation's group.
func group(op wire.Op) string {
	if op == wire.OpWork || op == wire.OpCallback {
		return string(op)
	}
	return "call"
}

// fieldsOf names the fields that a kind of fault needs, for the script that hides the others.
func fieldsOf(k wire.Kind) string {
	used := slices.DeleteFunc([]string{"seconds", "code", "status", "message", "after"}, func(field string) bool { return !uses(k, field) })
	return strings.Join(used, " ")
}
