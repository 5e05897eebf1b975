// Package config reads what k3s reads: flags, K3S_* environment and the files
// under /etc/rancher/k3s, into one Options value.
package config

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

type kind int

const (
	text kind = iota
	list
	boolean
	number
)

type scope int

const (
	both scope = iota
	serverOnly
	agentOnly
)

type flagSpec struct {
	name  string
	alias string
	kind  kind
	scope scope
	env   string
	value string
}

// specs is the flag surface of `k3s server` and `k3s agent`
// (k3s pkg/cli/cmds/{server,agent,log,config}.go). What the stand-in accepts
// without acting on it is listed in the README.
var specs = []flagSpec{
	{name: "config", alias: "c", env: "K3S_CONFIG_FILE", value: "/etc/rancher/k3s/config.yaml"},
	{name: "debug", kind: boolean, env: "K3S_DEBUG"},
	{name: "v", kind: number, value: "0"},
	{name: "vmodule"},
	{name: "log", alias: "l"},
	{name: "alsologtostderr", kind: boolean},
	{name: "data-dir", alias: "d", env: "K3S_DATA_DIR"},
	{name: "token", alias: "t", env: "K3S_TOKEN"},
	{name: "token-file", env: "K3S_TOKEN_FILE"},
	{name: "server", alias: "s", env: "K3S_URL"},
	{name: "node-name", env: "K3S_NODE_NAME"},
	{name: "with-node-id", kind: boolean},
	{name: "node-label", kind: list},
	{name: "node-taint", kind: list},
	{name: "node-ip", alias: "i", kind: list},
	{name: "node-external-ip", kind: list},
	{name: "node-internal-dns", kind: list},
	{name: "node-external-dns", kind: list},
	{name: "image-credential-provider-bin-dir", value: "/var/lib/rancher/credentialprovider/bin"},
	{name: "image-credential-provider-config", value: "/var/lib/rancher/credentialprovider/config.yaml"},
	{name: "selinux", kind: boolean, env: "K3S_SELINUX"},
	{name: "lb-server-port", kind: number, env: "K3S_LB_SERVER_PORT", value: "6444"},
	{name: "protect-kernel-defaults", kind: boolean},
	{name: "container-runtime-endpoint"},
	{name: "image-service-endpoint"},
	{name: "default-runtime"},
	{name: "disable-default-registry-endpoint", kind: boolean},
	{name: "nonroot-devices", kind: boolean},
	{name: "pause-image", value: "rancher/mirrored-pause:3.6"},
	{name: "snapshotter", value: "overlayfs"},
	{name: "private-registry", value: "/etc/rancher/k3s/registries.yaml"},
	{name: "airgap-extra-registry", kind: list},
	{name: "resolv-conf", env: "K3S_RESOLV_CONF"},
	{name: "flannel-iface"},
	{name: "flannel-conf"},
	{name: "flannel-cni-conf"},
	{name: "vpn-auth", env: "K3S_VPN_AUTH"},
	{name: "vpn-auth-file", env: "K3S_VPN_AUTH_FILE"},
	{name: "kubelet-arg", kind: list},
	{name: "kube-proxy-arg", kind: list},
	{name: "enable-pprof", kind: boolean},
	{name: "rootless", kind: boolean},
	{name: "prefer-bundled-bin", kind: boolean},
	{name: "docker", kind: boolean},
	{name: "disable-apiserver-lb", kind: boolean, scope: agentOnly},
	{name: "bind-address"},

	{name: "https-listen-port", kind: number, scope: serverOnly, value: "6443"},
	{name: "supervisor-port", kind: number, scope: serverOnly, value: "0"},
	{name: "apiserver-port", kind: number, scope: serverOnly, value: "0"},
	{name: "apiserver-bind-address", scope: serverOnly},
	{name: "advertise-address", scope: serverOnly},
	{name: "advertise-port", kind: number, scope: serverOnly, value: "0"},
	{name: "tls-san", kind: list, scope: serverOnly},
	{name: "tls-san-security", kind: boolean, scope: serverOnly, value: "true"},
	{name: "cluster-cidr", kind: list, scope: serverOnly},
	{name: "service-cidr", kind: list, scope: serverOnly},
	{name: "service-node-port-range", scope: serverOnly, value: "30000-32767"},
	{name: "cluster-dns", kind: list, scope: serverOnly},
	{name: "cluster-domain", scope: serverOnly, value: "cluster.local"},
	{name: "flannel-backend", scope: serverOnly, value: "vxlan"},
	{name: "flannel-ipv6-masq", kind: boolean, scope: serverOnly},
	{name: "flannel-external-ip", kind: boolean, scope: serverOnly},
	{name: "egress-selector-mode", scope: serverOnly, value: "agent"},
	{name: "servicelb-namespace", scope: serverOnly, value: "kube-system"},
	{name: "write-kubeconfig", alias: "o", scope: serverOnly, env: "K3S_KUBECONFIG_OUTPUT", value: DefaultKubeconfig},
	{name: "write-kubeconfig-mode", scope: serverOnly, env: "K3S_KUBECONFIG_MODE", value: "0600"},
	{name: "write-kubeconfig-group", scope: serverOnly, env: "K3S_KUBECONFIG_GROUP"},
	{name: "helm-job-image", scope: serverOnly},
	{name: "agent-token", scope: serverOnly, env: "K3S_AGENT_TOKEN"},
	{name: "agent-token-file", scope: serverOnly, env: "K3S_AGENT_TOKEN_FILE"},
	{name: "cluster-init", kind: boolean, scope: serverOnly, env: "K3S_CLUSTER_INIT"},
	{name: "cluster-reset", kind: boolean, scope: serverOnly, env: "K3S_CLUSTER_RESET"},
	{name: "cluster-reset-restore-path", scope: serverOnly},
	{name: "kube-apiserver-arg", kind: list, scope: serverOnly},
	{name: "etcd-arg", kind: list, scope: serverOnly},
	{name: "kube-controller-manager-arg", kind: list, scope: serverOnly},
	{name: "kube-scheduler-arg", kind: list, scope: serverOnly},
	{name: "kube-cloud-controller-manager-arg", kind: list, scope: serverOnly},
	{name: "kine-tls", kind: boolean, scope: serverOnly},
	{name: "datastore-endpoint", scope: serverOnly, env: "K3S_DATASTORE_ENDPOINT"},
	{name: "datastore-cafile", scope: serverOnly, env: "K3S_DATASTORE_CAFILE"},
	{name: "datastore-certfile", scope: serverOnly, env: "K3S_DATASTORE_CERTFILE"},
	{name: "datastore-keyfile", scope: serverOnly, env: "K3S_DATASTORE_KEYFILE"},
	{name: "etcd-expose-metrics", kind: boolean, scope: serverOnly},
	{name: "etcd-disable-snapshots", kind: boolean, scope: serverOnly},
	{name: "default-local-storage-path", scope: serverOnly},
	{name: "disable", kind: list, scope: serverOnly},
	{name: "disable-scheduler", kind: boolean, scope: serverOnly},
	{name: "disable-cloud-controller", kind: boolean, scope: serverOnly},
	{name: "disable-kube-proxy", kind: boolean, scope: serverOnly},
	{name: "disable-network-policy", kind: boolean, scope: serverOnly},
	{name: "disable-helm-controller", kind: boolean, scope: serverOnly},
	{name: "disable-agent", kind: boolean, scope: serverOnly},
	{name: "disable-apiserver", kind: boolean, scope: serverOnly},
	{name: "disable-controller-manager", kind: boolean, scope: serverOnly},
	{name: "disable-etcd", kind: boolean, scope: serverOnly},
	{name: "embedded-registry", kind: boolean, scope: serverOnly},
	{name: "supervisor-metrics", kind: boolean, scope: serverOnly},
	{name: "secrets-encryption", kind: boolean, scope: serverOnly},
	{name: "secrets-encryption-provider", scope: serverOnly, value: "aescbc"},
	{name: "system-default-registry", scope: serverOnly},
}

// values holds what the flags were given; lists keep every occurrence.
type values map[string][]string

type flagValue struct {
	spec flagSpec
	into values
	set  map[string]bool
}

func (v *flagValue) String() string { return "" }

func (v *flagValue) IsBoolFlag() bool { return v.spec.kind == boolean }

func (v *flagValue) Set(s string) error {
	switch v.spec.kind {
	case boolean:
		if _, err := strconv.ParseBool(s); err != nil {
			return err
		}
	case number:
		if _, err := strconv.Atoi(s); err != nil {
			return err
		}
	}
	// The first occurrence replaces the default or the environment's value.
	if v.spec.kind == list && v.set[v.spec.name] {
		v.into[v.spec.name] = append(v.into[v.spec.name], s)
	} else {
		v.into[v.spec.name] = []string{s}
	}
	v.set[v.spec.name] = true
	return nil
}

func specsOf(command string) []flagSpec {
	other := agentOnly
	if command == "agent" {
		other = serverOnly
	}
	var own []flagSpec
	for _, spec := range specs {
		if spec.scope != other {
			own = append(own, spec)
		}
	}
	return own
}

// parseFlags parses args of the command "server" or "agent". As in k3s an
// unknown flag is an error and a word that is no flag ends the flags.
func parseFlags(command string, args []string) (values, error) {
	set := flag.NewFlagSet(command, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	parsed, seen := values{}, map[string]bool{}
	for _, spec := range specsOf(command) {
		if spec.value != "" {
			parsed[spec.name] = []string{spec.value}
		}
		if fromEnv := os.Getenv(spec.env); spec.env != "" && fromEnv != "" {
			parsed[spec.name] = []string{fromEnv}
		}
		value := &flagValue{spec: spec, into: parsed, set: seen}
		set.Var(value, spec.name, "")
		if spec.alias != "" {
			set.Var(value, spec.alias, "")
		}
	}
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q after the flags of k3s %s", set.Arg(0), command)
	}
	return parsed, nil
}

func (v values) str(name string) string {
	if all := v[name]; len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

func (v values) boolean(name string) bool {
	b, _ := strconv.ParseBool(v.str(name))
	return b
}

func (v values) number(name string) int {
	n, _ := strconv.Atoi(v.str(name))
	return n
}

// commaSeparated is for the lists k3s splits (util.SplitStringSlice); the
// *-arg lists are taken as they stand.
func (v values) commaSeparated(name string) []string {
	var all []string
	for _, entry := range v[name] {
		for _, part := range strings.Split(entry, ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}
