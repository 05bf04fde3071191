package rosterview

// CardsPerSheet is how many cards are on a sheet of A4: two columns of four, 105 by 74 mm each.
const CardsPerSheet = 8

// Cards is sheets of cards to print and cut.
type Cards struct {
	Roster, Back string
	Next         string // address of the next sheets; "" if these are all
	Sheets       []CardSheet
}

// CardSheet is one page, of one class.
type CardSheet struct {
	Class string
	Cards []Card
}

// Card is held before the camera, and photographed before the person.
type Card struct{ Name, Class, StudentNumber, Code string }
