package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"sigs.k8s.io/yaml"
)

const defaultConfigFile = "/etc/rancher/k3s/config.yaml"

// FileArgs turns the configuration files into arguments, to be put before the
// command line's own so that those win (k3s pkg/configfilearg/parser.go):
// the file named by K3S_CONFIG_FILE or --config, then <file>.d/*.yaml and *.yml
// in name order. A key of a later file replaces the earlier one, `key+` appends.
// A missing file is an error only when it was named.
func FileArgs(args []string) ([]string, error) {
	file, named := configFile(args)
	merged := map[string][]string{}

	content, err := os.ReadFile(file)
	switch {
	case err == nil:
		if err := mergeYAML(merged, file, content); err != nil {
			return nil, err
		}
	case !os.IsNotExist(err) || named:
		return nil, fmt.Errorf("failed to read configuration file %s: %w", file, err)
	}

	dropIns, err := dropInFiles(file + ".d")
	if err != nil {
		return nil, err
	}
	for _, dropIn := range dropIns {
		content, err := os.ReadFile(dropIn)
		if err != nil {
			return nil, fmt.Errorf("failed to read configuration file %s: %w", dropIn, err)
		}
		if err := mergeYAML(merged, dropIn, content); err != nil {
			return nil, err
		}
	}
	return toArgs(merged), nil
}

func configFile(args []string) (string, bool) {
	if file := os.Getenv("K3S_CONFIG_FILE"); file != "" {
		return file, true
	}
	for i, arg := range args {
		switch {
		case (arg == "--config" || arg == "-c") && i+1 < len(args):
			return args[i+1], true
		case strings.HasPrefix(arg, "--config="):
			return strings.TrimPrefix(arg, "--config="), true
		case strings.HasPrefix(arg, "-c="):
			return strings.TrimPrefix(arg, "-c="), true
		}
	}
	return defaultConfigFile, false
}

func dropInFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("failed to read configuration directory %s: %w", dir, err)
	}
	var files []string
	for _, entry := range entries {
		if ext := filepath.Ext(entry.Name()); !entry.IsDir() && (ext == ".yaml" || ext == ".yml") {
			files = append(files, filepath.Join(dir, entry.Name()))
		}
	}
	return files, nil
}

func mergeYAML(into map[string][]string, file string, content []byte) error {
	var keys map[string]any
	if err := yaml.Unmarshal(content, &keys); err != nil {
		return fmt.Errorf("failed to parse configuration file %s: %w", file, err)
	}
	for key, value := range keys {
		entries := []string{}
		if many, ok := value.([]any); ok {
			for _, one := range many {
				entries = append(entries, scalar(one))
			}
		} else {
			entries = append(entries, scalar(value))
		}
		if name, appends := strings.CutSuffix(key, "+"); appends {
			into[name] = append(slices.Clone(into[name]), entries...)
		} else {
			into[key] = entries
		}
	}
	return nil
}

func scalar(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case float64:
		// JSON numbers: 6443, not 6443.000000 or 1e+06.
		return fmt.Sprintf("%.0f", v)
	default:
		return fmt.Sprint(v)
	}
}

func toArgs(merged map[string][]string) []string {
	keys := make([]string, 0, len(merged))
	for key := range merged {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	var args []string
	for _, key := range keys {
		for _, value := range merged[key] {
			args = append(args, "--"+key+"="+value)
		}
	}
	return args
}

// withoutUnknown drops arguments that are no flags of the command, and returns
// the dropped ones. k3s does so for `server` (it logs "Unknown flag ... found in
// config.yaml, skipping") but not for `agent`, where they stay and are fatal.
func withoutUnknown(command string, args []string) (known, unknown []string) {
	if command != "server" {
		return args, nil
	}
	valid := map[string]bool{}
	for _, spec := range specsOf(command) {
		valid[spec.name] = true
		valid[spec.alias] = true
	}
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if valid[name] {
			known = append(known, arg)
		} else {
			unknown = append(unknown, arg)
		}
	}
	return known, unknown
}
