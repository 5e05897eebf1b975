// Package cgroups judges the host's cgroups as k3s does (k3s pkg/cgroups).
package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const root = "/sys/fs/cgroup"

// Unified says whether the host uses cgroup v2 only.
func Unified() (bool, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(root, &fs); err != nil {
		return false, fmt.Errorf("failed to statfs %s: %w", root, err)
	}
	return fs.Type == unix.CGROUP2_SUPER_MAGIC, nil
}

// Validate returns an error where k3s refuses to run an agent: cgroup v1
// without memory, cgroup v2 without cpu, cpuset or memory. Warnings are returned
// apart.
func Validate() (warnings []string, err error) {
	unified, err := Unified()
	if err != nil {
		return nil, err
	}
	if unified {
		enabled, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
		if err != nil {
			return nil, err
		}
		return nil, validateV2(string(enabled))
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	return validateV1(string(own))
}

func validateV1(own string) (warnings []string, err error) {
	if !strings.Contains(own, "cpuset") {
		warnings = append(warnings, `Failed to find cpuset cgroup, you may need to add "cgroup_enable=cpuset" to your linux cmdline (/boot/cmdline.txt on a Raspberry Pi)`)
	}
	if !strings.Contains(own, "memory") {
		return warnings, errors.New(`failed to find memory cgroup, you may need to add "cgroup_memory=1 cgroup_enable=memory" to your linux cmdline (/boot/cmdline.txt on a Raspberry Pi)`)
	}
	return warnings, nil
}

func validateV2(enabled string) error {
	have := strings.Fields(enabled)
	for _, want := range []string{"cpu", "cpuset", "memory"} {
		if !contains(have, want) {
			return fmt.Errorf("failed to find %s cgroup (v2)", want)
		}
	}
	return nil
}

func contains(all []string, one string) bool {
	for _, each := range all {
		if each == one {
			return true
		}
	}
	return false
}

// Found is what k3s derives for kubelet and containerd.
type Found struct {
	// KubeletRoot and RuntimeRoot are set when this process or process 1 lives
	// in a cgroup of its own, so that kubelet makes one instead.
	KubeletRoot, RuntimeRoot string
	Controllers              map[string]bool
}

// Check looks at /proc/self/cgroup and /proc/1/cgroup (k3s CheckCgroups).
func Check() (Found, error) {
	unified, err := Unified()
	if err != nil {
		return Found{}, err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return Found{}, err
	}
	first, err := os.ReadFile("/proc/1/cgroup")
	if err != nil {
		return Found{}, err
	}
	enabled := ""
	if unified {
		content, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
		if err != nil {
			return Found{}, err
		}
		enabled = string(content)
	}
	return check(unified, enabled, string(own), string(first), func(group string) bool {
		_, err := os.Stat(filepath.Join(root, "cpu", group, "cpu.cfs_period_us"))
		return err == nil
	}), nil
}

func check(unified bool, enabled, own, first string, hasCFS func(group string) bool) Found {
	found := Found{Controllers: map[string]bool{}}
	for _, controller := range strings.Fields(enabled) {
		found.Controllers[controller] = true
	}
	for _, entry := range entries(own) {
		switch {
		case entry.controller == "name=systemd" || unified:
			if strings.LastIndex(entry.group, ".scope") > 0 {
				found.KubeletRoot = "/k3s"
			}
		case entry.controller == "cpu":
			if hasCFS(entry.group) {
				found.Controllers["cpu"] = true
			}
		case entry.controller != "":
			found.Controllers[entry.controller] = true
		}
	}
	if found.KubeletRoot != "" {
		return found
	}
	for _, entry := range entries(first) {
		if (entry.controller == "name=systemd" || unified) && entry.group != "/" && entry.group != "/init.scope" {
			found.KubeletRoot, found.RuntimeRoot = "/k3s", "/k3s"
		}
	}
	return found
}

type entry struct{ controller, group string }

// entries reads the lines `id:controller,controller:/group`.
func entries(file string) []entry {
	var all []entry
	for _, line := range strings.Split(strings.TrimSpace(file), "\n") {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) < 3 {
			continue
		}
		for _, controller := range strings.Split(parts[1], ",") {
			all = append(all, entry{controller, parts[2]})
		}
	}
	return all
}
