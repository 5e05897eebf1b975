package config

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// DefaultDataDir is k3s's data directory for root.
const DefaultDataDir = "/var/lib/rancher/k3s"

// DefaultKubeconfig is the admin's kubeconfig unless --write-kubeconfig names another.
const DefaultKubeconfig = "/etc/rancher/k3s/k3s.yaml"

// Options is everything `k3s server` or `k3s agent` was told.
type Options struct {
	Command string
	// Skipped are the arguments of the configuration files that are no flags.
	Skipped []string

	Debug           bool
	Verbosity       int
	DataDir         string
	Token           string
	AgentToken      string
	ServerURL       string
	BindAddress     string
	Rootless        bool
	Docker          bool
	EmbeddedReg     bool
	PreferBundled   bool
	ClusterInit     bool
	DatastoreURL    string
	SystemRegistry  string
	WithNodeID      bool
	DisableAgent    bool
	DisableAPI      bool
	DisableSched    bool
	DisableKCM      bool
	DisableCCM      bool
	DisableProxy    bool
	DisableNetpol   bool
	DisableHelm     bool
	Disable         map[string]bool
	NodeName        string
	NodeIPs         []string
	NodeExternalIPs []string
	NodeLabels      []string
	NodeTaints      []string
	AdvertiseIP     string
	AdvertisePort   int
	HTTPSPort       int
	APIServerPort   int
	APIServerBind   string
	TLSSANs         []string
	ClusterCIDR     string
	ServiceCIDR     string
	NodePortRange   string
	ClusterDNS      string
	ClusterDomain   string
	FlannelBackend  string
	FlannelIface    string
	EgressMode      string
	LocalStorage    string
	// LoadBalancerPort is where an agent reaches the API server, on its own loopback.
	LoadBalancerPort int

	KubeconfigOutput string
	KubeconfigMode   string

	Snapshotter       string
	PauseImage        string
	RuntimeEndpoint   string
	DefaultRuntime    string
	NonrootDevices    bool
	SELinux           bool
	Registries        string
	NoDefaultEndpoint bool
	ResolvConf        string
	ProtectKernel     bool

	APIServerArgs  []string
	KCMArgs        []string
	SchedulerArgs  []string
	KubeletArgs    []string
	KubeProxyArgs  []string
	CredProvider   string
	CredProviderBn string
}

// Parse reads the files, the environment and the arguments (those after the
// command word) of the command "server" or "agent".
func Parse(command string, args []string) (*Options, error) {
	fromFiles, err := FileArgs(args)
	if err != nil {
		return nil, err
	}
	known, skipped := withoutUnknown(command, fromFiles)
	v, err := parseFlags(command, append(known, args...))
	if err != nil {
		return nil, err
	}
	o := &Options{
		Command: command, Skipped: skipped,
		Debug: v.boolean("debug"), Verbosity: v.number("v"),
		LoadBalancerPort: v.number("lb-server-port"),
		DataDir:          v.str("data-dir"), ServerURL: v.str("server"), BindAddress: v.str("bind-address"),
		Rootless: v.boolean("rootless"), Docker: v.boolean("docker"), EmbeddedReg: v.boolean("embedded-registry"),
		PreferBundled: v.boolean("prefer-bundled-bin"), ClusterInit: v.boolean("cluster-init"),
		DatastoreURL: v.str("datastore-endpoint"), SystemRegistry: v.str("system-default-registry"),
		WithNodeID: v.boolean("with-node-id"), DisableAgent: v.boolean("disable-agent"),
		DisableAPI: v.boolean("disable-apiserver"), DisableSched: v.boolean("disable-scheduler"),
		DisableKCM: v.boolean("disable-controller-manager"), DisableCCM: v.boolean("disable-cloud-controller"),
		DisableProxy: v.boolean("disable-kube-proxy"), DisableNetpol: v.boolean("disable-network-policy"),
		DisableHelm: v.boolean("disable-helm-controller"), Disable: map[string]bool{},
		NodeName: v.str("node-name"), NodeIPs: v.commaSeparated("node-ip"),
		NodeExternalIPs: v.commaSeparated("node-external-ip"), NodeLabels: v["node-label"], NodeTaints: v["node-taint"],
		AdvertiseIP: v.str("advertise-address"), AdvertisePort: v.number("advertise-port"),
		HTTPSPort: v.number("https-listen-port"), APIServerPort: v.number("apiserver-port"),
		APIServerBind: v.str("apiserver-bind-address"), TLSSANs: v.commaSeparated("tls-san"),
		NodePortRange: v.str("service-node-port-range"), ClusterDomain: v.str("cluster-domain"),
		FlannelBackend: v.str("flannel-backend"), FlannelIface: v.str("flannel-iface"), EgressMode: v.str("egress-selector-mode"),
		LocalStorage: v.str("default-local-storage-path"), KubeconfigOutput: v.str("write-kubeconfig"),
		KubeconfigMode: v.str("write-kubeconfig-mode"), Snapshotter: v.str("snapshotter"),
		PauseImage: v.str("pause-image"), RuntimeEndpoint: v.str("container-runtime-endpoint"),
		DefaultRuntime: v.str("default-runtime"), NonrootDevices: v.boolean("nonroot-devices"), SELinux: v.boolean("selinux"),
		Registries: v.str("private-registry"), NoDefaultEndpoint: v.boolean("disable-default-registry-endpoint"),
		ResolvConf: v.str("resolv-conf"), ProtectKernel: v.boolean("protect-kernel-defaults"),
		APIServerArgs: v["kube-apiserver-arg"], KCMArgs: v["kube-controller-manager-arg"],
		SchedulerArgs: v["kube-scheduler-arg"], KubeletArgs: v["kubelet-arg"], KubeProxyArgs: v["kube-proxy-arg"],
		CredProvider: v.str("image-credential-provider-config"), CredProviderBn: v.str("image-credential-provider-bin-dir"),
	}
	for _, item := range v.commaSeparated("disable") {
		o.Disable[item] = true
	}
	if o.Token, err = secret(v, "token", "token-file"); err != nil {
		return nil, err
	}
	if o.AgentToken, err = secret(v, "agent-token", "agent-token-file"); err != nil {
		return nil, err
	}
	if o.DataDir, err = absolute(o.DataDir); err != nil {
		return nil, err
	}
	if err := o.setNetwork(v); err != nil {
		return nil, err
	}
	return o, nil
}

func secret(v values, name, fileName string) (string, error) {
	file := v.str(fileName)
	if file == "" {
		return v.str(name), nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("failed to read --%s %s: %w", fileName, file, err)
	}
	return strings.TrimSpace(string(content)), nil
}

func absolute(dir string) (string, error) {
	if dir == "" {
		dir = DefaultDataDir
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("failed to resolve --data-dir %s: %w", dir, err)
	}
	return abs, nil
}

func (o *Options) setNetwork(v values) error {
	first := func(name, fallback string) string {
		if all := v.commaSeparated(name); len(all) > 0 {
			return all[0]
		}
		return fallback
	}
	o.ClusterCIDR = first("cluster-cidr", "10.42.0.0/16")
	o.ServiceCIDR = first("service-cidr", "10.43.0.0/16")
	for name, cidr := range map[string]string{"cluster-cidr": o.ClusterCIDR, "service-cidr": o.ServiceCIDR} {
		if _, _, err := net.ParseCIDR(cidr); err != nil {
			return fmt.Errorf("invalid %s %s: %w", name, cidr, err)
		}
	}
	_, services, _ := net.ParseCIDR(o.ServiceCIDR)
	dns := services.IP.To4()
	if dns == nil {
		return fmt.Errorf("invalid service-cidr %s: the stand-in is IPv4 only", o.ServiceCIDR)
	}
	o.ClusterDNS = first("cluster-dns", net.IPv4(dns[0], dns[1], dns[2], dns[3]+10).String())
	if net.ParseIP(o.ClusterDNS) == nil {
		return fmt.Errorf("invalid cluster-dns address %s", o.ClusterDNS)
	}
	switch o.EgressMode {
	case "", "agent", "cluster", "pod", "disabled":
	default:
		return fmt.Errorf("invalid egress-selector-mode %s", o.EgressMode)
	}
	if o.APIServerPort == 0 {
		o.APIServerPort = o.HTTPSPort + 1
	}
	if o.AdvertisePort == 0 {
		o.AdvertisePort = o.HTTPSPort
	}
	if o.LocalStorage == "" {
		o.LocalStorage = filepath.Join(o.DataDir, "storage")
	}
	return nil
}

// RunsCCM says whether k3s's cloud controller manager process part runs: it
// stays off only when both its node controller and servicelb are off.
func (o *Options) RunsCCM() bool { return !o.DisableCCM || !o.Disable["servicelb"] }

// Disables are the packaged manifests that are switched off: those that were
// named, and the cloud controller's where it does not run.
func (o *Options) Disables() map[string]bool {
	disables := maps.Clone(o.Disable)
	if !o.RunsCCM() {
		disables["ccm"] = true
	}
	return disables
}

// DataDir finds the data directory without judging the other arguments: the
// self-extracting binary needs it before anything else
// (k3s cmd/k3s/main.go, findDataDir).
func DataDir(args []string) (string, error) {
	return absolute(loose(args, "data-dir", "d", "K3S_DATA_DIR"))
}

// PreferBundled says whether bundled tools come before the host's in PATH.
func PreferBundled(args []string) bool {
	switch loose(args, "prefer-bundled-bin", "", "") {
	case "true", "1", "t", "T", "TRUE", "True":
		return true
	}
	return false
}

func loose(args []string, name, alias, env string) string {
	value := os.Getenv(env)
	fromFiles, err := FileArgs(args)
	if err != nil {
		// The command itself reports it.
		fromFiles = nil
	}
	all := append(fromFiles, args...)
	for i, arg := range all {
		trimmed := strings.TrimLeft(arg, "-")
		if trimmed == arg {
			continue
		}
		key, given, hasValue := strings.Cut(trimmed, "=")
		if key != name && (alias == "" || key != alias) {
			continue
		}
		switch {
		case hasValue:
			value = given
		case name == "prefer-bundled-bin":
			value = "true"
		case i+1 < len(all):
			value = all[i+1]
		}
	}
	return value
}
