// Package docs holds the documents that the program itself shows.
package docs

import _ "embed"

// API is the reference of the receipt API for tenants' programs, in Markdown:
// Chinese first, then English.
//
//go:embed api.md
var API string
