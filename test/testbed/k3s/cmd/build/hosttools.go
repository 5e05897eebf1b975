package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// tools are the Debian programs that the payload carries, with the libraries they
// need, by the path they get below bin/aux.
type tools map[string]string

// programs k3s-root has in one form or another (k3s-facts.md, "Layout").
var programs = []string{"ip", "nsenter", "mount", "xtables-legacy-multi", "xtables-nft-multi"}

const packages = "iproute2 util-linux mount iptables"

func hostTools() (tools, error) {
	found := tools{}
	for _, name := range programs {
		path, err := exec.LookPath(name)
		if err != nil {
			return nil, fmt.Errorf("failed to find %s (Debian packages: %s): %w", name, packages, err)
		}
		found["lib/programs/"+name] = path
		if err := found.addLibraries(path); err != nil {
			return nil, err
		}
	}
	xtables := filepath.Join(filepath.Dir(found["lib/libxtables.so.12"]), "xtables")
	extensions, err := filepath.Glob(filepath.Join(xtables, "*.so"))
	if err != nil || len(extensions) == 0 {
		return nil, fmt.Errorf("failed to find iptables' extensions in %s: %v", xtables, err)
	}
	for _, extension := range extensions {
		found["lib/xtables/"+filepath.Base(extension)] = extension
		if err := found.addLibraries(extension); err != nil {
			return nil, err
		}
	}
	found["lib/ld.so"] = found["lib/ld-linux-x86-64.so.2"]
	return found, nil
}

// lddLine is `name => /path (0x...)` or `/path (0x...)` of the loader.
var lddLine = regexp.MustCompile(`(/\S+) \(0x`)

func (t tools) addLibraries(file string) error {
	output, err := command("", nil, "ldd", file)
	if err != nil {
		return err
	}
	if strings.Contains(string(output), "not found") {
		return fmt.Errorf("failed to find a library of %s:\n%s", file, output)
	}
	for _, match := range lddLine.FindAllStringSubmatch(string(output), -1) {
		t["lib/"+filepath.Base(match[1])] = match[1]
	}
	return nil
}

// inputs are the files themselves, links followed.
func (t tools) inputs() []string {
	var files []string
	for _, name := range sortedKeys(t) {
		if real, err := filepath.EvalSymlinks(t[name]); err == nil {
			files = append(files, real)
		} else {
			// To be reported when it is packed.
			files = append(files, t[name])
		}
	}
	return files
}
