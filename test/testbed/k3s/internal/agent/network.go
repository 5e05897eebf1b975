package agent

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"k3s-in-gvisor/test/testbed/k3s/internal/argmap"
	"k3s-in-gvisor/test/testbed/k3s/internal/process"

	"github.com/sirupsen/logrus"
)

// startNetwork starts kube-proxy, flannel and the network policy controller
// unless they are switched off. In k3s each of them failing shuts k3s down.
func (a *Agent) startNetwork(ctx context.Context) error {
	if !a.options.DisableProxy {
		if err := a.startKubeProxy(); err != nil {
			return err
		}
	}
	if a.options.FlannelBackend != "none" {
		if err := a.startFlannel(ctx); err != nil {
			return fmt.Errorf("flannel exited: %w", err)
		}
	}
	if !a.options.DisableNetpol {
		if err := checkNetworkPolicy(); err != nil {
			return fmt.Errorf("failed to start network policy controller: %w", err)
		}
		logrus.Warn("The stand-in checks that the network policy controller could run, and enforces no policies")
	}
	return nil
}

// startKubeProxy runs the real one with k3s's arguments.
func (a *Agent) startKubeProxy() error {
	flags := map[string]string{
		"proxy-mode":                        "iptables",
		"healthz-bind-address":              "127.0.0.1",
		"kubeconfig":                        a.path("kubeproxy.kubeconfig"),
		"cluster-cidr":                      a.options.ClusterCIDR,
		"conntrack-max-per-core":            "0",
		"conntrack-tcp-timeout-established": "0s",
		"conntrack-tcp-timeout-close-wait":  "0s",
		"hostname-override":                 a.identity.Name,
	}
	if a.options.Verbosity > 0 {
		flags["v"] = strconv.Itoa(a.options.Verbosity)
	}
	args := argmap.Merge(flags, a.options.KubeProxyArgs)
	logrus.Infof("Running kube-proxy %s", strings.Join(args, " "))
	return a.group.Start(process.Spec{Name: "kube-proxy", Path: "/proc/self/exe", Args: args, OnParentDeath: syscall.SIGKILL})
}
