package cgroups

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Evacuate does what k3s does as process 1 outside a user namespace: it moves
// every process of its cgroup v2 group into a child "init" and enables the
// controllers below (rootlesskit cgrouputil.EvacuateCgroup2). Without a cgroup2
// mount it does nothing.
func Evacuate() error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	mountpoint := cgroup2Mount(string(mounts))
	if mountpoint == "" {
		return nil
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	group := ""
	for _, line := range strings.Split(string(own), "\n") {
		if rest, ok := strings.CutPrefix(line, "0::"); ok {
			group = rest
		}
	}
	if group == "" {
		return fmt.Errorf("failed to find the cgroup v2 entry of /proc/self/cgroup")
	}
	return evacuate(filepath.Join(mountpoint, group))
}

func evacuate(from string) error {
	to := filepath.Join(from, "init")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("failed to evacuate root cgroup: %w", err)
	}
	processes, err := os.ReadFile(filepath.Join(from, "cgroup.procs"))
	if err != nil {
		return fmt.Errorf("failed to evacuate root cgroup: %w", err)
	}
	for _, pid := range strings.Fields(string(processes)) {
		if err := os.WriteFile(filepath.Join(to, "cgroup.procs"), []byte(pid), 0); err != nil {
			return fmt.Errorf("failed to evacuate root cgroup: failed to move process %s: %w", pid, err)
		}
	}
	controllers, err := os.ReadFile(filepath.Join(from, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("failed to evacuate root cgroup: %w", err)
	}
	for _, controller := range strings.Fields(string(controllers)) {
		if err := os.WriteFile(filepath.Join(from, "cgroup.subtree_control"), []byte("+"+controller), 0); err != nil {
			return fmt.Errorf("failed to evacuate root cgroup: failed to enable %s: %w", controller, err)
		}
	}
	return nil
}

// cgroup2Mount finds the first mount point of type cgroup2 in mountinfo.
func cgroup2Mount(mountinfo string) string {
	for _, line := range strings.Split(mountinfo, "\n") {
		before, after, found := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if found && len(fields) > 4 && strings.HasPrefix(after, "cgroup2 ") {
			return fields[4]
		}
	}
	return ""
}
