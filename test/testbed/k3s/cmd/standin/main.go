// The k3s file itself: unpacks what it carries and executes it, as
// k3s-io/k3s cmd/k3s/main.go does.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"k3s-in-gvisor/test/testbed/k3s/internal/config"
	"k3s-in-gvisor/test/testbed/k3s/internal/payload"

	"github.com/sirupsen/logrus"
)

// version is the Kubernetes version, set by the build.
var version = "unset"

const usage = `NAME:
   k3s - Kubernetes, but small and simple (stand-in for tests, not the real one)

USAGE:
   k3s [global options] command [command options] [arguments...]

COMMANDS:
   server        Run management server
   agent         Run node agent
   kubectl       Run kubectl
   crictl        Run crictl
   ctr           Run ctr
   check-config  Run config check

GLOBAL OPTIONS:
   --help, -h     show help
   --version, -v  print the version
`

func main() {
	name := filepath.Base(os.Args[0])
	switch name {
	case "kubectl", "crictl", "ctr":
		run(name, os.Args)
	}
	if len(os.Args) < 2 {
		fmt.Print(usage)
		return
	}
	switch command := os.Args[1]; command {
	case "--version", "-v":
		fmt.Printf("k3s version %s+k3s1 (standin)\ngo version %s\n", version, runtime.Version())
	case "--help", "-h", "help":
		fmt.Print(usage)
	case "server", "agent":
		run("k3s-"+command, os.Args)
	case "kubectl", "crictl", "ctr", "check-config":
		run(command, append([]string{command}, os.Args[2:]...))
	case "token", "etcd-snapshot", "secrets-encrypt", "certificate", "completion":
		logrus.Fatalf("k3s %s is not imitated by the stand-in", command)
	default:
		fmt.Printf("No help topic for '%s'\n", command)
		os.Exit(3)
	}
}

// run never returns: it becomes the program or ends this one.
func run(program string, args []string) {
	if err := stageAndExec(program, args); err != nil {
		logrus.Fatal(err)
	}
}

func stageAndExec(program string, args []string) error {
	dataDir, err := config.DataDir(args[1:])
	if err != nil {
		return err
	}
	archive, err := payload.Find("/proc/self/exe")
	if err != nil {
		return err
	}
	dir, err := archive.Extract(dataDir, config.DefaultDataDir)
	if err != nil {
		return fmt.Errorf("extracting data: %w", err)
	}

	bin, aux, cni := filepath.Join(dir, "bin"), filepath.Join(dir, "bin", "aux"), filepath.Join(dataDir, "data", "cni")
	path := cni + ":" + bin + ":" + os.Getenv("PATH") + ":" + aux
	if config.PreferBundled(args[1:]) {
		path = cni + ":" + bin + ":" + aux + ":" + os.Getenv("PATH")
	}
	if err := os.Setenv("PATH", path); err != nil {
		return err
	}
	executable := filepath.Join(bin, program)
	if _, err := os.Stat(executable); os.IsNotExist(err) {
		return fmt.Errorf("%s is not in the stand-in's payload", program)
	}
	if program == "crictl" && os.Getenv("CRI_CONFIG_FILE") == "" {
		os.Setenv("CRI_CONFIG_FILE", filepath.Join(dataDir, "agent", "etc", "crictl.yaml"))
	}
	return syscall.Exec(executable, args, os.Environ())
}
