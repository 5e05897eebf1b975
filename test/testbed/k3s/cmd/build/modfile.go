package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// pinned is the Kubernetes version that go.mod and go.sum are committed for.
const pinned = "1.36.3"

var (
	kubernetesLine = regexp.MustCompile(`(k8s\.io/kubernetes) v1\.\d+\.\d+`)
	indirectLine   = regexp.MustCompile(`(?m)^.*// indirect\n`)
	stagingLine    = regexp.MustCompile(`(?m)^\s*(k8s\.io/[a-z0-9-]+) => .*$\n`)
	stagingSource  = regexp.MustCompile(`(?m)^\s*(k8s\.io/[a-z0-9-]+) => \./staging/`)
	godebugLine    = regexp.MustCompile(`(?m)^godebug default=\S+$`)
	k8sRequirement = regexp.MustCompile(`(?m)^\s*k8s\.io/[a-z0-9-]+ v0\.\d+\.\d+\n`)
)

// modfile is the go.mod to build with: the committed one, or for another
// Kubernetes version one derived from it, with its go.sum, in the cache.
func (b *builder) modfile(compilers string) (string, error) {
	committed := filepath.Join(b.module, "go.mod")
	if b.version == pinned {
		return committed, nil
	}
	inputs := hashOf{words: []string{b.version, compilers}, paths: []string{committed, filepath.Join(b.module, "cmd"), filepath.Join(b.module, "internal")}}
	hash, err := inputs.sum()
	if err != nil {
		return "", err
	}
	dir, err := b.cache.entry("k3s-standin-gomod-"+b.version, hash, func(path string) error {
		b.say("resolving the modules of Kubernetes %s", b.version)
		content, err := os.ReadFile(committed)
		if err != nil {
			return err
		}
		kubernetes, err := download("k8s.io/kubernetes", "v"+b.version)
		if err != nil {
			return err
		}
		theirs, err := os.ReadFile(kubernetes.GoMod)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		modfile := filepath.Join(path, "go.mod")
		if err := os.WriteFile(modfile, []byte(forVersion(string(content), string(theirs), b.version)), 0o644); err != nil {
			return err
		}
		_, err = command(b.module, nil, "go", "mod", "tidy", "-modfile="+modfile)
		return err
	})
	return filepath.Join(dir, "go.mod"), err
}

// forVersion points our go.mod at another Kubernetes version, of which theirs is
// the go.mod: each staging module it names is replaced by v0.<minor>.<patch>, and
// the indirect requirements are left for `go mod tidy` to find.
func forVersion(ours, theirs, version string) string {
	ours = indirectLine.ReplaceAllString(ours, "")
	ours = stagingLine.ReplaceAllString(ours, "")
	ours = k8sRequirement.ReplaceAllString(ours, "")
	if theirGodebug := godebugLine.FindString(theirs); theirGodebug != "" {
		ours = godebugLine.ReplaceAllLiteralString(ours, theirGodebug)
	}
	ours = kubernetesLine.ReplaceAllString(ours, "${1} v"+version)
	var replaces strings.Builder
	for _, match := range stagingSource.FindAllStringSubmatch(theirs, -1) {
		fmt.Fprintf(&replaces, "replace %[1]s => %[1]s v0.%[2]s\n", match[1], strings.TrimPrefix(version, "1."))
	}
	return ours + "\n" + replaces.String()
}
