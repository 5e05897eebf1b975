package main

import "testing"

func TestForVersion(t *testing.T) {
	const ours = `module m

godebug default=go1.24

require (
	k8s.io/api v0.34.4
	k8s.io/kubernetes v1.34.4
	x.io/y v1.0.0
)

require (
	z.io/z v1.0.0 // indirect
)

replace (
	k8s.io/api => k8s.io/api v0.34.4
	k8s.io/gone => k8s.io/gone v0.34.4
)
`
	const theirs = `module k8s.io/kubernetes

godebug default=go1.26

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/new => ./staging/src/k8s.io/new
)
`
	const want = `module m

godebug default=go1.26

require (
	k8s.io/kubernetes v1.36.3
	x.io/y v1.0.0
)

require (
)

replace (
)

replace k8s.io/api => k8s.io/api v0.36.3
replace k8s.io/new => k8s.io/new v0.36.3
`
	if got := forVersion(ours, theirs, "1.36.3"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
