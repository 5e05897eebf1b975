package server

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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

func TestListManifests(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"traefik.yaml", "traefik.yaml.skip", "coredns.yaml", "own.YML", "own.json", "notes.txt", ".hidden.yaml",
		"skipped.yaml", "skipped.yaml.skip", "metrics-server/service.yaml", "charts/deep/skipped.yaml", "charts/deep/traefik.yml",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := listManifests(dir, map[string]bool{"traefik": true, "metrics-server": true, "notes": true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		line := strings.TrimPrefix(file.path, dir+"/")
		if file.disabled {
			line = "delete " + line
		}
		got = append(got, line)
	}
	// A disabled manifest is deleted whether it is skipped or not.
	want := []string{"delete charts/deep/traefik.yml", "coredns.yaml", "delete metrics-server/service.yaml", "own.YML", "own.json", "delete traefik.yaml"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWithNode(t *testing.T) {
	for _, test := range []struct {
		hosts, want string
		changed     bool
	}{
		{"", "10.0.0.1 a\n", true},
		{"10.0.0.1 a\n", "10.0.0.1 a\n", false},
		{"10.0.0.9 a\n10.0.0.2 b\n", "10.0.0.1 a\n10.0.0.2 b\n", true},
	} {
		if got, changed := withNode(test.hosts, "a", "10.0.0.1"); got != test.want || changed != test.changed {
			t.Errorf("%q: got %q, %v", test.hosts, got, changed)
		}
	}
}
