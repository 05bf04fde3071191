package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Specimen is a completed application that no simulator has worked on: what a
// demonstration's history needs of one.
type Specimen struct {
	No, ImageCode string
	TypeID        int
	City          string // "广东省,深圳市"
	StandardPhoto []byte // an RGB JPEG in the type's size
	Submitted     time.Time
	Completed     time.Time
}

// DrawReceipt returns the PDF that the simulator would serve for the specimen.
// A type or city that the catalogue does not have is an error.
func DrawReceipt(s Specimen) ([]byte, error) {
	types := catalogue()
	i := slices.IndexFunc(types, func(t receiptType) bool { return t.ID == s.TypeID })
	if i < 0 || !types[i].offers(s.City) {
		return nil, fmt.Errorf("simulator: no receipt of type %d for %s", s.TypeID, s.City)
	}
	city, err := json.Marshal(s.City)
	if err != nil {
		return nil, err
	}
	return drawReceipt(application{
		No: s.No, ImageCode: s.ImageCode, Fields: customFields{"city": city}, SubmitTime: s.Submitted, CompleteTime: s.Completed,
	}, types[i], s.StandardPhoto)
}
