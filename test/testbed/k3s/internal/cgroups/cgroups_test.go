package cgroups

import (
	"reflect"
	"testing"
)

const gvisor = "7:pids:/\n6:memory:/\n5:job:/\n4:devices:/\n3:cpuset:/\n2:cpuacct:/\n1:cpu:/\n"

func TestValidateV1(t *testing.T) {
	if warnings, err := validateV1(gvisor); err != nil || len(warnings) != 0 {
		t.Errorf("all there: got %v, %v", warnings, err)
	}
	if warnings, err := validateV1("1:memory:/\n"); err != nil || len(warnings) != 1 {
		t.Errorf("without cpuset: got %v, %v, want one warning", warnings, err)
	}
	if _, err := validateV1("1:cpuset:/\n"); err == nil {
		t.Error("without memory: want an error")
	}
}

func TestValidateV2(t *testing.T) {
	for enabled, valid := range map[string]bool{
		"cpuset cpu io memory pids": true, "cpu memory pids": false, "cpuset memory": false, "cpuset cpu pids": false, "": false,
	} {
		if err := validateV2(enabled); (err == nil) != valid {
			t.Errorf("%q: got %v, want valid %v", enabled, err, valid)
		}
	}
}

func TestCheck(t *testing.T) {
	all := map[string]bool{"pids": true, "memory": true, "job": true, "devices": true, "cpuset": true, "cpuacct": true, "cpu": true}
	without := func(name string) map[string]bool {
		rest := map[string]bool{}
		for controller := range all {
			if controller != name {
				rest[controller] = true
			}
		}
		return rest
	}
	for name, test := range map[string]struct {
		unified             bool
		enabled, own, first string
		cfs                 bool
		want                Found
	}{
		"gVisor, v1":                    {own: gvisor, first: gvisor, cfs: true, want: Found{Controllers: all}},
		"without cpu.cfs_period_us":     {own: gvisor, first: gvisor, want: Found{Controllers: without("cpu")}},
		"v2":                            {unified: true, enabled: "cpu pids", own: "0::/\n", first: "0::/\n", want: Found{Controllers: map[string]bool{"cpu": true, "pids": true}}},
		"v2 in a container's own group": {unified: true, enabled: "cpu", own: "0::/a\n", first: "0::/a\n", want: Found{"/k3s", "/k3s", map[string]bool{"cpu": true}}},
		"from a shell under systemd":    {own: "1:name=systemd:/user.slice/session-1.scope\n", first: "1:name=systemd:/init.scope\n", want: Found{KubeletRoot: "/k3s", Controllers: map[string]bool{}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := check(test.unified, test.enabled, test.own, test.first, func(string) bool { return test.cfs })
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestCgroup2Mount(t *testing.T) {
	const mountinfo = `25 1 0:22 / /sys rw - sysfs sysfs rw
30 25 0:26 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw
`
	if got := cgroup2Mount(mountinfo); got != "/sys/fs/cgroup/unified" {
		t.Errorf("got %q", got)
	}
	if got := cgroup2Mount("30 25 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"); got != "" {
		t.Errorf("without cgroup2: got %q", got)
	}
}
