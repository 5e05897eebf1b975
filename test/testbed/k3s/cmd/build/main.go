// Builds the stand-in: build <kubernetes version> <output file>.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

var versionFormat = regexp.MustCompile(`^v?(1\.\d+\.\d+)$`)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: build <kubernetes version, such as 1.36.3> <output file>")
	}
	match := versionFormat.FindStringSubmatch(args[0])
	if match == nil {
		return fmt.Errorf("invalid Kubernetes version %q: want one like 1.36.3", args[0])
	}
	// The script `build` starts this program in the module's directory.
	module, err := os.Getwd()
	if err != nil {
		return err
	}
	b := &builder{version: match[1], module: module, start: time.Now()}
	if b.cache, err = openCache(); err != nil {
		return err
	}
	file, err := b.standin()
	if err != nil {
		return err
	}
	output := filepath.Clean(args[1])
	if err := replaceFile(file, output); err != nil {
		return fmt.Errorf("failed to write %s: %w", output, err)
	}
	b.say("wrote %s", output)
	return nil
}
