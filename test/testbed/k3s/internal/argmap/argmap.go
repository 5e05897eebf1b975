// Package argmap merges k3s's own component arguments with the user's.
package argmap

import (
	"sort"
	"strings"
)

// Merge returns "--key=value" arguments, sorted: the defaults, each replaced by
// the user's entries for the same key (which may repeat). A user key ending in
// "+" is put after the default's value and one ending in "-" before it
// (k3s pkg/util/args.go, GetArgs). An entry without "=" means "true".
func Merge(defaults map[string]string, user []string) []string {
	merged := map[string][]string{}
	for key, value := range defaults {
		merged[key] = []string{value}
	}
	given := map[string]bool{}
	for _, entry := range user {
		key, value, hasValue := strings.Cut(strings.TrimLeft(entry, "-"), "=")
		if !hasValue {
			value = "true"
		}
		name := strings.TrimRight(key, "+-")
		switch {
		case strings.HasSuffix(key, "+") || given[name]:
			merged[name] = append(merged[name], value)
		case strings.HasSuffix(key, "-"):
			merged[name] = append([]string{value}, merged[name]...)
		default:
			merged[name] = []string{value}
		}
		given[name] = true
	}
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
