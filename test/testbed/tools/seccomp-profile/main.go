// Seccomp-profile prints the seccomp section that a stock Docker puts into the OCI configuration
// read from standard input: its default profile, for that container's capabilities and this kernel.
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
	if err := json.NewEncoder(os.Stdout).Encode(profile); err != nil {
		log.Fatalf("Failed to write the seccomp profile: %v", err)
	}
}
