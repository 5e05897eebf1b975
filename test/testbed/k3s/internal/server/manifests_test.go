package server

import (
	"testing"

	"k3s-in-gvisor/test/testbed/k3s/internal/config"
)

func TestPackagedManifestsDecode(t *testing.T) {
	entries, err := packaged.ReadDir("manifests")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := packaged.ReadFile("manifests/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		objects, err := decode(content)
		if err != nil || len(objects) == 0 {
			t.Errorf("%s: got %d objects, %v", entry.Name(), len(objects), err)
		}
		for _, object := range objects {
			if object.GetKind() == "" || object.GetName() == "" {
				t.Errorf("%s: an object without kind or name: %v", entry.Name(), object.Object)
			}
		}
	}
}

func TestDecodeOpensLists(t *testing.T) {
	const content = `apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
---
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
`
	objects, err := decode([]byte(content))
	if err != nil || len(objects) != 3 {
		t.Fatalf("got %d objects, %v, want 3", len(objects), err)
	}
}

func TestDisabled(t *testing.T) {
	s := &Server{options: &config.Options{Disable: map[string]bool{"coredns": true, "rolebindings": true}}}
	for file, want := range map[string]bool{"coredns.yaml": true, "local-storage.yaml": false, "rolebindings.yaml": false} {
		if got := s.disabled(file); got != want {
			t.Errorf("%s: got %v, want %v", file, got, want)
		}
	}
}
