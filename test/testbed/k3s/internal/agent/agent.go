// Package agent runs the node half of k3s: containerd, image import, kubelet and
// the networking that was asked for.
package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k3s-in-gvisor/test/testbed/k3s/internal/cgroups"
	"k3s-in-gvisor/test/testbed/k3s/internal/config"
	"k3s-in-gvisor/test/testbed/k3s/internal/node"
	"k3s-in-gvisor/test/testbed/k3s/internal/process"

	"github.com/sirupsen/logrus"
)

// Agent is one node.
type Agent struct {
	options  *config.Options
	identity node.Identity
	group    *process.Group
	// apiReady is closed when the API server answers /readyz.
	apiReady <-chan struct{}
}

// New makes an agent whose credentials are in <data-dir>/agent already.
func New(options *config.Options, identity node.Identity, group *process.Group, apiReady <-chan struct{}) *Agent {
	return &Agent{options, identity, group, apiReady}
}

// Check refuses what k3s refuses before it starts anything of the agent.
func Check(options *config.Options) error {
	switch {
	case os.Getuid() != 0 && !options.Rootless:
		return errors.New("server must run as root, or with --rootless and/or --disable-agent")
	case options.Rootless:
		return errors.New("--rootless is not imitated by the stand-in")
	case options.Docker:
		return errors.New("--docker is not imitated by the stand-in")
	case options.EmbeddedReg:
		return errors.New("--embedded-registry is not imitated by the stand-in")
	}
	warnings, err := cgroups.Validate()
	for _, warning := range warnings {
		logrus.Warn(warning)
	}
	return err
}

func (a *Agent) path(parts ...string) string {
	return filepath.Join(append([]string{a.options.DataDir, "agent"}, parts...)...)
}

// Start starts the agent; what comes later waits for its turn in the background.
func (a *Agent) Start() error {
	configureSystem()
	if err := a.identity.EnsurePassword(); err != nil {
		return err
	}
	if err := os.MkdirAll(a.path("etc"), 0o755); err != nil {
		return err
	}
	if a.options.RuntimeEndpoint == "" {
		if err := a.checkSnapshotter(); err != nil {
			return err
		}
	}
	crictl := fmt.Sprintf("runtime-endpoint: unix://%s\n", a.runtimeSocket())
	if err := os.WriteFile(a.path("etc", "crictl.yaml"), []byte(crictl), 0o644); err != nil {
		return err
	}
	go func() {
		if err := a.bringUp(a.group.Context); err != nil && a.group.Context.Err() == nil {
			a.group.Fail(err)
		}
	}()
	return nil
}

func (a *Agent) runtimeSocket() string {
	if a.options.RuntimeEndpoint != "" {
		return a.options.RuntimeEndpoint
	}
	return containerdSocket
}

// bringUp: runtime, images, then (once the API server is ready) kubelet, and
// only after that the rest (k3s pkg/agent/run.go).
func (a *Agent) bringUp(ctx context.Context) error {
	if a.options.RuntimeEndpoint == "" {
		if err := a.startContainerd(ctx); err != nil {
			return fmt.Errorf("failed to start container runtime: %w", err)
		}
		if err := a.startImages(ctx); err != nil {
			return fmt.Errorf("failed to import images: %w", err)
		}
	} else if err := waitCRI(ctx, a.options.RuntimeEndpoint); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.apiReady:
	}
	if err := a.startKubelet(); err != nil {
		return err
	}
	return a.startNetwork(ctx)
}

// untilDone repeats until the action succeeds.
func untilDone(ctx context.Context, what string, action func() error) error {
	for {
		err := action()
		if err == nil {
			return nil
		}
		logrus.Debugf("Failed to %s, trying again: %v", what, err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
