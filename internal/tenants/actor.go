package tenants

import "strings"

// Histories and audits name who acted: a user by their id, and those who are none as follows.
const (
	keyActorPrefix     = "api:"
	commandActorPrefix = "cli:"
)

// KeyActor names a key as an actor.
func KeyActor(keyID string) string { return keyActorPrefix + keyID }

// IsKeyActor tells the actors that are keys from people.
func IsKeyActor(actor string) bool { return strings.HasPrefix(actor, keyActorPrefix) }

// CommandActor names somebody who gives commands on the machine, by their name there.
func CommandActor(login string) string { return commandActorPrefix + login }

// CommandLogin is the name on the machine of an actor who gave a command; false for all others.
func CommandLogin(actor string) (login string, ok bool) {
	return strings.CutPrefix(actor, commandActorPrefix)
}
