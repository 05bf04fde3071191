// Package platformview has the pages of the platform's staff: the provider's health and its catalogue. They are about
// all tenants together and show nobody's name, number or photo.
package platformview
