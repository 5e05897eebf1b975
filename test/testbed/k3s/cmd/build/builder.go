package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

type builder struct {
	version string
	module  string
	cache   *cache
	start   time.Time
}

func (b *builder) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "[standin %5.1fs] %s\n", time.Since(b.start).Seconds(), fmt.Sprintf(format, args...))
}

// command runs a program and returns its output; both streams are shown when it
// fails.
func command(dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("failed to run %s %s: %w\n%s%s", name, strings.Join(args, " "), err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes(), nil
}

// standin makes the k3s file: a small self-extracting program, then the payload.
func (b *builder) standin() (string, error) {
	compilers, err := toolchain(b.module)
	if err != nil {
		return "", err
	}
	tools, err := hostTools()
	if err != nil {
		return "", err
	}
	modules, err := modulesOf(b.version)
	if err != nil {
		return "", err
	}
	inputs := hashOf{words: []string{b.version, compilers, fmt.Sprint(modules, plugins)}, paths: tools.inputs()}
	for _, name := range []string{"cmd", "internal", "go.mod", "go.sum"} {
		inputs.paths = append(inputs.paths, filepath.Join(b.module, name))
	}
	hash, err := inputs.sum()
	if err != nil {
		return "", err
	}
	return b.cache.entry("k3s-standin-"+b.version, hash, func(path string) error {
		work := path + ".work"
		defer os.RemoveAll(work)
		if err := os.RemoveAll(work); err != nil {
			return err
		}
		modfile, err := b.modfile(compilers)
		if err != nil {
			return err
		}
		upstream, err := b.upstream(modules, compilers)
		if err != nil {
			return err
		}
		b.say("compiling Kubernetes %s with the stand-in's own code (minutes the first time)", b.version)
		core, outer := filepath.Join(work, "core"), filepath.Join(work, "outer")
		for output, pkg := range map[string]string{core: "./cmd/k3s", outer: "./cmd/standin"} {
			if err := b.compileOwn(modfile, pkg, output); err != nil {
				return err
			}
		}
		launcher := filepath.Join(work, "launcher")
		source := filepath.Join(b.module, "cmd", "build", "files", "launcher.c")
		if _, err := command("", nil, "gcc", "-static", "-O2", "-s", "-Wall", "-Wextra", "-Werror", "-o", launcher, source); err != nil {
			return err
		}
		b.say("packing")
		return pack(path, outer, contents(core, upstream, launcher, tools, filepath.Join(b.module, "cmd", "build", "files")))
	})
}

// toolchain names the compilers, on which every entry depends.
func toolchain(dir string) (string, error) {
	goVersion, err := command(dir, nil, "go", "version")
	if err != nil {
		return "", err
	}
	gccVersion, err := command(dir, nil, "gcc", "-dumpfullversion")
	return fmt.Sprint(strings.TrimSpace(string(goVersion)), " gcc ", strings.TrimSpace(string(gccVersion)), " ", runtime.GOARCH), err
}

func (b *builder) compileOwn(modfile, pkg, output string) error {
	_, err := command(b.module, []string{"CGO_ENABLED=0"}, "nice", "go", "build", "-modfile="+modfile, "-trimpath",
		"-ldflags=-s -w -X main.version=v"+b.version+" "+kubernetesVersionFlags(b.version)+" "+containerdDropInFlags(b.version), "-o", output, pkg)
	return err
}

// kubernetesVersionFlags make the components say their version; a build without
// them calls itself v0.0.0-master.
func kubernetesVersionFlags(version string) string {
	parts := strings.Split(version, ".")
	const pkg = "k8s.io/component-base/version"
	return strings.Join([]string{
		"-X " + pkg + ".gitVersion=v" + version + "+k3s1",
		"-X " + pkg + ".gitMajor=" + parts[0],
		"-X " + pkg + ".gitMinor=" + parts[1],
		"-X " + pkg + ".gitTreeState=clean",
	}, " ")
}

// containerdDropInFlags give the stand-in k3s-io/k3s#13680, as its release has it
// or not: it was merged in February 2026, before 1.35.3.
func containerdDropInFlags(version string) string {
	var minor, patch int
	if _, err := fmt.Sscanf(version, "1.%d.%d", &minor, &patch); err != nil || minor < 35 || minor == 35 && patch < 3 {
		return ""
	}
	return "-X k3s-in-gvisor/test/testbed/k3s/internal/agent.dropIns=config-v3.toml.d/*.toml"
}

// downloaded is what `go mod download -json` says of a module.
type downloaded struct{ Dir, GoMod, Sum string }

func download(path, version string) (downloaded, error) {
	var module downloaded
	output, err := command("", nil, "go", "mod", "download", "-json", path+"@"+version)
	if err != nil {
		return module, err
	}
	return module, json.Unmarshal(output, &module)
}
