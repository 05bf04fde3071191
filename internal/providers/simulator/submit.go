package simulator

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/idnumber"
)

// submit checks a submit in the order given in the package comment, and accepts the application.
func (s *Server) submit(r request) answer {
	var fields customFields
	fieldsOK := json.Unmarshal(r.body["custom_fields"], &fields) == nil && len(fields) > 0
	id := strings.TrimSpace(string(r.body["receipt_type_id"]))
	switch {
	case id == "", id == "null", id == `""`:
		return refuse(1002)
	case r.text("id_photo_url") == "":
		return refuse(1003)
	case !fieldsOK:
		return refuse(1004)
	}
	typeID, err := strconv.Atoi(id)
	if err != nil || s.receiptType(typeID).ID == 0 {
		return refuse(1008)
	}
	if code := checkFields(s.receiptType(typeID), fields); code != 0 {
		return refuse(code)
	}
	a := &application{
		Token: rand.Text(), TypeID: typeID, PhotoURL: r.text("id_photo_url"), Fields: fields, Status: statusPending,
	}
	if !readOptions(r, a) {
		return refuse(2001)
	}
	return s.accept(a)
}

// accept gives the application its number, writes it down, and sets it going.
func (s *Server) accept(a *application) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return refuse(2002) // closing: nothing may be launched any more
	}
	if !a.Simulate && s.balance() < pointsPerReceipt {
		return refuse(1013)
	}
	a.SubmitTime = time.Now().UTC()
	a.Changed = a.SubmitTime
	a.Seq = len(s.order) + 1
	a.No = s.newNumber(a.SubmitTime)
	if err := s.store.save(a); err != nil {
		s.log.Error("simulator cannot write its journal", "error", err)
		return refuse(2002)
	}
	s.add(a)
	s.advise(a)
	s.launch(a.No)
	return success(map[string]string{"application_no": a.No, "message": "申请提交成功,请等待处理"})
}

// advise warns of what is accepted but hardly meant. The caller holds s.mu.
func (s *Server) advise(a *application) {
	if a.resultIgnored {
		s.warn("submit.result_ignored")
	}
	if id := a.Fields.text("customer_id_card"); id != "" && !idnumber.Valid(strings.ToUpper(id)) {
		s.warn("submit.check_digit")
	}
}

// newNumber makes an application number like RA20231201143059001: the time and a sequence within its second, which
// grows beyond three digits when it must. The caller holds s.mu.
func (s *Server) newNumber(now time.Time) string {
	if second := "RA" + now.In(chinaTime).Format("20060102150405"); second != s.second {
		s.second, s.inSecond = second, 0
	}
	for {
		s.inSecond++
		// A number may be taken: by an application from before a restart, or from before the clock was set back.
		if no := fmt.Sprintf("%s%03d", s.second, s.inSecond); s.apps[no] == nil {
			return no
		}
	}
}

// checkFields returns the code of the first rule that the custom fields break, or 0.
func checkFields(t receiptType, fields customFields) int {
	for _, name := range t.RequiredFields {
		if fields.text(name) == "" {
			return 1005
		}
	}
	if phone := fields.text("customer_phone"); phone != "" && !mobile.MatchString(phone) {
		return 1006
	}
	if id := fields.text("customer_id_card"); id != "" && !plausibleID(id) {
		return 1007
	}
	return 0
}

var (
	mobile   = regexp.MustCompile(`^1[3-9]\d{9}$`)
	idNumber = regexp.MustCompile(`^[1-9]\d{16}[\dXx]$`)
)

// plausibleID checks the form of an 18-digit ID number and its birth date, but not its check digit.
func plausibleID(id string) bool {
	if !idNumber.MatchString(id) {
		return false
	}
	birth, err := time.ParseInLocation("20060102", id[6:14], chinaTime)
	return err == nil && birth.Year() >= 1900 && birth.Before(time.Now())
}

// readOptions reads the optional parameters into the application, and reports whether they make sense.
func readOptions(r request, a *application) bool {
	if !absent(r.body["callback_url"]) {
		a.CallbackURL = r.text("callback_url")
		u, err := url.Parse(a.CallbackURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return false
		}
	}
	if !absent(r.body["simulate"]) && json.Unmarshal(r.body["simulate"], &a.Simulate) != nil {
		return false
	}
	if !a.Simulate {
		a.resultIgnored = !absent(r.body["simulate_result"])
		return true
	}
	a.SimulateResult = statusCompleted
	if !absent(r.body["simulate_result"]) {
		a.SimulateResult = r.text("simulate_result")
	}
	return slices.Contains(statuses, a.SimulateResult)
}

func absent(raw json.RawMessage) bool {
	text := strings.TrimSpace(string(raw))
	return text == "" || text == "null" || text == `""`
}
