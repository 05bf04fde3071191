// Package wire is what the simulator's wire formats share: an answer before it is written, the rules by which it goes
// wrong, and what each way of going wrong looks like on the connection.
package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// The content types of answers.
const (
	TypeJSON = "application/json; charset=utf-8"
	TypeXML  = "application/xml; charset=utf-8"
	TypeHTML = "text/html; charset=utf-8"
)

// Answer is an HTTP answer that has not been written yet.
type Answer struct {
	Status int // 0 means 200
	Type   string
	Body   []byte
}

// JSON makes an answer of a value that can always be encoded.
func JSON(v any) Answer { return Answer{Type: TypeJSON, Body: Encode(v)} }

// Encode writes a value as compact JSON, with <, > and & as they are. It panics if that is not possible, which is a
// mistake in the simulator: answers are made of plain types.
func Encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (a Answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.Type)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	w.Write(a.Body)
}

// page is an error page, as a proxy in front of a provider sends it.
func page(status int, title string) Answer {
	return Answer{Status: status, Type: TypeHTML, Body: []byte(
		"<!DOCTYPE html><html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>")}
}

// TooManyRequests is HTTP 429, for formats that have no code for it.
func TooManyRequests() Answer { return page(http.StatusTooManyRequests, "429 Too Many Requests") }

// Body reads a request's body whole, so that whatever happens then happens after the request has arrived. Of a longer
// one it returns max+1 bytes. An error means that the client went away while it was sending.
func Body(r *http.Request, max int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r.Body, max+1))
}

// Member is one member of an Object.
type Member struct {
	Name  string
	Value any
}

// Object is a JSON object whose members stay in their order: the documents' samples have one.
type Object []Member

// MarshalJSON writes the members in their order.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(Encode(m.Name))
		b.WriteByte(':')
		b.Write(Encode(m.Value))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
