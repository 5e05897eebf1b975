package server

import "testing"

func TestPasswordOf(t *testing.T) {
	for token, want := range map[string]string{
		"":                      "",
		"secret":                "secret",
		"server:secret":         "secret",
		"K10abc::server:secret": "secret",
		"K10abc::node:a:b":      "a:b",
	} {
		if got := passwordOf(token); got != want {
			t.Errorf("%q: got %q, want %q", token, got, want)
		}
	}
}
