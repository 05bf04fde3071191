package local

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
)

// A message on the pipes is a header - length of the payload, request number,
// kind - and the payload.
type message struct {
	kind    kind
	request uint32
	payload []byte
}

type kind uint8

const (
	ready  kind = iota + 1 // child: loaded, the payload is the engine's name
	read                   // parent: read the picture in the payload
	cancel                 // parent: nobody waits for the request any more
	answer                 // child: the request is done, the payload is a reply
)

const (
	headerSize = 9
	// maxPayload bounds what a broken peer can make the other allocate. It is
	// more than any picture of ocr.MaxPixels needs.
	maxPayload = 128 << 20
)

// sender writes whole messages from several goroutines.
type sender struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *sender) send(m message) error {
	header := make([]byte, headerSize)
	binary.BigEndian.PutUint32(header, uint32(len(m.payload)))
	binary.BigEndian.PutUint32(header[4:], m.request)
	header[8] = byte(m.kind)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.w.Write(header); err != nil {
		return err
	}
	_, err := s.w.Write(m.payload)
	return err
}

func receive(r io.Reader) (message, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return message{}, err
	}
	length := binary.BigEndian.Uint32(header[:])
	if length > maxPayload {
		return message{}, fmt.Errorf("message of %d bytes", length)
	}
	m := message{kind: kind(header[8]), request: binary.BigEndian.Uint32(header[4:]), payload: make([]byte, length)}
	_, err := io.ReadFull(r, m.payload)
	return m, err
}

// reply is the outcome of a request: a reading with its crops, or an error by
// its key in the catalogue and its text.
type reply struct {
	Reading *ocr.Reading
	Crops   map[ocr.FieldName][]byte
	Key     string
	Error   string
}

func encodeReply(reading *ocr.Reading, err error) []byte {
	var r reply
	if err != nil {
		r.Error = err.Error()
		if e, ok := errors.AsType[*apperr.Error](err); ok {
			r.Key = e.Key
		}
	} else {
		r.Reading, r.Crops = reading, reading.Crops
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings, numbers and bytes always encode
	}
	return b
}

func decodeReply(payload []byte) (*ocr.Reading, error) {
	var r reply
	if err := json.Unmarshal(payload, &r); err != nil {
		return nil, fmt.Errorf("answer of the OCR process: %w", err)
	}
	if r.Reading != nil {
		r.Reading.Crops = r.Crops
		return r.Reading, nil
	}
	for _, known := range []*apperr.Error{ocr.ErrUnreadable, ocr.ErrUnavailable} {
		if r.Key == known.Key {
			return nil, fmt.Errorf("%w (%s)", known, r.Error)
		}
	}
	return nil, fmt.Errorf("OCR process: %s", r.Error)
}
