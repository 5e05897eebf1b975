package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"k3s-in-gvisor/test/testbed/k3s/internal/agent"
	"k3s-in-gvisor/test/testbed/k3s/internal/cgroups"
	"k3s-in-gvisor/test/testbed/k3s/internal/config"
	"k3s-in-gvisor/test/testbed/k3s/internal/node"
	"k3s-in-gvisor/test/testbed/k3s/internal/process"
	"k3s-in-gvisor/test/testbed/k3s/internal/server"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// version is the Kubernetes version, set by the build.
var version = "unset"

// reaped marks the process that process 1 runs in its place.
const reaped = "_K3S_STANDIN_REAPED"

func runK3s(command string, args []string) {
	options, err := config.Parse(command, args)
	if err != nil {
		logrus.Fatal(err)
	}
	for _, skipped := range options.Skipped {
		logrus.Warnf("Unknown flag %s found in config.yaml, skipping", skipped)
	}
	if options.Debug {
		logrus.SetLevel(logrus.DebugLevel)
	}
	if !options.DisableAgent {
		if err := evacuateAsInit(); err != nil {
			logrus.Fatal(err)
		}
	}
	if os.Getpid() == 1 {
		os.Exit(reapAndRun())
	}
	os.Exit(run(options))
}

// evacuateAsInit: see cgroups.Evacuate.
func evacuateAsInit() error {
	if os.Getpid() != 1 {
		return nil
	}
	uids, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return err
	}
	if inUserNS := string(uids) != "         0          0 4294967295\n"; inUserNS {
		return nil
	}
	return cgroups.Evacuate()
}

// reapAndRun runs k3s as a child and reaps orphans, as k3s does when it is
// process 1 (k3s pkg/cli/cmds/log_linux.go).
func reapAndRun() int {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = os.Args
	cmd.Env = append(os.Environ(), reaped+"=true")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		logrus.Fatal(err)
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return 1
		}
		if pid == cmd.Process.Pid {
			if status.Signaled() {
				return 128 + int(status.Signal())
			}
			return status.ExitStatus()
		}
	}
}

// run is k3s itself; it returns the exit code.
func run(options *config.Options) int {
	err := start(options)
	if errors.Is(err, errSignal) {
		logrus.Infof("%v", err)
		return 0
	}
	logrus.Errorf("Shutdown request received: %v", err)
	return 1
}

var errSignal = errors.New("received a signal to stop")

func start(options *config.Options) error {
	identity, err := node.Identify(options.NodeName, options.NodeIPs)
	if err != nil {
		return err
	}
	if len(options.NodeIPs) == 0 && options.AdvertiseIP == "" {
		options.AdvertiseIP = identity.IPs[0]
	}
	if !options.DisableAgent {
		if err := agent.Check(options); err != nil {
			return err
		}
	}
	logrus.Infof("Starting k3s %s+k3s1 (standin)", version)
	if err := addNoProxy(options); err != nil {
		return err
	}
	group := process.NewGroup(context.Background())
	stopOnSignal(group)

	if options.Command == "agent" {
		apiReady, err := agent.Join(options, identity, group)
		if err == nil {
			err = agent.New(options, identity, group, apiReady).Start()
		}
		if err != nil {
			return finish(group, err)
		}
		return group.Wait()
	}
	control, err := server.New(options, identity, group)
	if err != nil {
		return err
	}
	if err := control.Start(); err != nil {
		return finish(group, err)
	}
	if options.DisableAgent {
		return group.Wait()
	}
	if err := control.IssueAgent(filepath.Join(options.DataDir, "agent"), identity); err != nil {
		return finish(group, err)
	}
	if err := agent.New(options, identity, group, control.Ready).Start(); err != nil {
		return finish(group, err)
	}
	return group.Wait()
}

// addNoProxy keeps the cluster's own networks from going through a proxy.
func addNoProxy(options *config.Options) error {
	own := []string{".svc", "." + options.ClusterDomain, options.ClusterCIDR, options.ServiceCIDR}
	if given := os.Getenv("NO_PROXY"); given != "" {
		own = append([]string{given}, own...)
	}
	return os.Setenv("NO_PROXY", strings.Join(own, ","))
}

// finish ends what has been started already.
func finish(group *process.Group, err error) error {
	group.Fail(err)
	return group.Wait()
}

func stopOnSignal(group *process.Group) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		group.Fail(errSignal)
		// A second one ends k3s at once; its children die of PR_SET_PDEATHSIG.
		<-signals
		os.Exit(1)
	}()
}
