package server

// Route is a line of the routing table, for the tests that walk it.
type Route struct {
	Pattern string
	Public  bool
	Staff   bool
	Can     string
}

// Routes is the whole table.
func (s *Server) Routes() []Route {
	var out []Route
	for _, r := range s.routes() {
		out = append(out, Route{r.pattern, r.access.public, r.access.staff, string(r.access.can)})
	}
	return out
}

// RoutingTable is the table of a server without services, which needs none to name its routes.
func RoutingTable() []Route { return New(Config{}).Routes() }
