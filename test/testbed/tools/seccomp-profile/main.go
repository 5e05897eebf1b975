// Seccomp-profile prints the seccomp section that a stock Docker puts into the OCI configuration
// read from standard input: its default profile, for that container's capabilities and this kernel.
//
// With one difference. Docker answers clone3 with ENOSYS, so that C libraries use clone instead, but
// runsc ignores errnoRet and answers whatever a profile refuses with EPERM (runsc/specutils/seccomp,
// errnoAction). glibc 2.34 and later then fail to start any thread: not even Node would run. Sandboxes
// of this kind that do run Node have an older or another C library, or a profile that allows clone3.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func main() {
	var spec specs.Spec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		log.Fatalf("Failed to read the configuration: %v", err)
	}
	profile, err := seccomp.GetDefaultProfile(&spec)
	if err != nil {
		log.Fatalf("Failed to make the seccomp profile: %v", err)
	}
	for i := range profile.Syscalls {
		if rule := &profile.Syscalls[i]; len(rule.Names) == 1 && rule.Names[0] == "clone3" {
			*rule = specs.LinuxSyscall{Names: rule.Names, Action: specs.ActAllow}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(profile); err != nil {
		log.Fatalf("Failed to write the seccomp profile: %v", err)
	}
}
