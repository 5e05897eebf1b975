// bin/k3s of the payload: k3s server and agent, and the Kubernetes components
// they run, by the name the program is called with.
package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	logrus.SetOutput(os.Stderr)
	switch name := filepath.Base(os.Args[0]); name {
	case "kube-apiserver":
		component(apiserver.NewAPIServerCommand())
	case "kube-controller-manager":
		component(controllermanager.NewControllerManagerCommand())
	case "kube-scheduler":
		component(scheduler.NewSchedulerCommand())
	case "kube-proxy":
		component(kubeproxy.NewProxyCommand())
	case "kubelet":
		component(newKubelet())
	case "kubectl":
		kubectl()
	default:
		// k3s-server and k3s-agent are executed with the user's own argv:
		// k3s server ...
		if len(os.Args) > 1 && (os.Args[1] == "server" || os.Args[1] == "agent") {
			runK3s(os.Args[1], os.Args[2:])
			return
		}
		logrus.Fatalf("Failed to run %s: not a program of this binary", name)
	}
}

func component(command *cobra.Command) { os.Exit(cli.Run(command)) }

// newKubelet: the constructor has taken a context since Kubernetes 1.34.
func newKubelet() *cobra.Command {
	switch construct := any(kubelet.NewKubeletCommand).(type) {
	case func(context.Context) *cobra.Command:
		return construct(context.Background())
	case func() *cobra.Command:
		return construct()
	default:
		panic("unknown signature of NewKubeletCommand")
	}
}
