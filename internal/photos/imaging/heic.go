package imaging

import (
	"bytes"
	"encoding/binary"
	"image"

	"github.com/gen2brain/heic"
)

// inspectHEIC reads the properties of the primary picture from the "meta" box of an ISO base media file
// (ISO/IEC 23008-12). The size limit goes by the largest picture declared anywhere in the file. The
// decoder applies rotation and mirroring itself, so the orientation stays upright.
func inspectHEIC(data []byte, info *Info) error {
	var meta heicMeta
	found := false
	for kind, body := range boxes(data) {
		if kind == "meta" && len(body) > 4 {
			meta.read(body[4:])
			found = true
			break
		}
	}
	switch {
	case !found:
		return errTruncated()
	case len(meta.properties) == 0:
		return errUnreadable()
	}
	for _, p := range meta.properties {
		if w, h := p.size(); w > 0 && h > 0 && w > MaxPixels/h {
			return errTooManyPixels(w, h)
		}
	}
	for _, index := range meta.associations[meta.primary] {
		if index < 1 || index > len(meta.properties) {
			continue
		}
		p := meta.properties[index-1]
		if w, h := p.size(); w > 0 {
			info.Width, info.Height = w, h
		}
		if p.kind == "irot" && len(p.body) >= 1 && p.body[0]&1 == 1 { // quarter turns
			info.Width, info.Height = info.Height, info.Width
		}
	}
	return nil
}

// heicMeta is what the "meta" box says about the file's pictures.
type heicMeta struct {
	primary      uint32
	properties   []property
	associations map[uint32][]int // properties of an item, counted from 1
}

// property is a box in the item property container.
type property struct {
	kind string
	body []byte
}

// size returns the extents of an "ispe" property, or zeros.
func (p property) size() (w, h int) {
	if p.kind != "ispe" || len(p.body) < 12 {
		return 0, 0
	}
	const most = 1 << 20 // keeps the product within an int everywhere
	return int(min(binary.BigEndian.Uint32(p.body[4:]), most)), int(min(binary.BigEndian.Uint32(p.body[8:]), most))
}

func (m *heicMeta) read(meta []byte) {
	m.associations = map[uint32][]int{}
	for kind, body := range boxes(meta) {
		switch kind {
		case "pitm":
			f := fields{body}
			version := f.take(4) >> 24
			m.primary = f.take(2)
			if version > 0 {
				m.primary = m.primary<<16 | f.take(2)
			}
		case "iprp":
			for kind, body := range boxes(body) {
				switch kind {
				case "ipco":
					for kind, body := range boxes(body) {
						m.properties = append(m.properties, property{kind, body})
					}
				case "ipma":
					m.readAssociations(body)
				}
			}
		}
	}
}

// readAssociations reads which item has which properties.
func (m *heicMeta) readAssociations(body []byte) {
	f := fields{body}
	head := f.take(4)
	wideID, wideIndex := head>>24 > 0, head&1 == 1
	for n := f.take(4); n > 0 && len(f.data) > 0; n-- {
		item := f.take(2)
		if wideID {
			item = item<<16 | f.take(2)
		}
		for range f.take(1) {
			if wideIndex {
				m.associations[item] = append(m.associations[item], int(f.take(2)&0x7fff))
			} else {
				m.associations[item] = append(m.associations[item], int(f.take(1)&0x7f))
			}
		}
	}
}

// decodeHEIC decodes the primary picture with libheif in a WebAssembly sandbox.
func decodeHEIC(data []byte) (*image.RGBA, error) {
	img, err := heic.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, refuse("error.file.unreadable").Wrap(err)
	}
	return opaque(img), nil
}
