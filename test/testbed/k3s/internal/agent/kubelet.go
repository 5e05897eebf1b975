package agent

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"k3s-in-gvisor/test/testbed/k3s/internal/argmap"
	"k3s-in-gvisor/test/testbed/k3s/internal/cgroups"
	"k3s-in-gvisor/test/testbed/k3s/internal/process"

	"github.com/sirupsen/logrus"
	"sigs.k8s.io/yaml"
)

// startKubelet writes k3s's defaults to kubelet.conf.d/00-k3s-defaults.conf,
// where the user's own *.conf merge too, and starts kubelet
// (k3s pkg/daemons/agent/agent_linux.go).
func (a *Agent) startKubelet() error {
	found, err := cgroups.Check()
	if err != nil {
		return err
	}
	if !found.Controllers["pids"] {
		return errors.New("pids cgroup controller not found")
	}
	if !found.Controllers["cpu"] {
		logrus.Warn("Disabling CPU quotas due to missing cpu controller or cpu.cfs_period_us")
	}
	defaults, err := a.kubeletConfig(found)
	if err != nil {
		return err
	}
	content, err := yaml.Marshal(defaults)
	if err != nil {
		return err
	}
	dropIns := a.path("etc", "kubelet.conf.d")
	for _, dir := range []string{dropIns, a.path("pod-manifests")} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dropIns, "00-k3s-defaults.conf"), content, 0o600); err != nil {
		return err
	}
	args := argmap.Merge(a.kubeletFlags(dropIns, found), a.options.KubeletArgs)
	logrus.Infof("Running kubelet %s", strings.Join(args, " "))
	return a.group.Start(process.Spec{Name: "kubelet", Path: "/proc/self/exe", Args: args, OnParentDeath: syscall.SIGKILL})
}

func (a *Agent) kubeletFlags(dropIns string, found cgroups.Found) map[string]string {
	flags := map[string]string{
		"config-dir":        dropIns,
		"kubeconfig":        a.path("kubelet.kubeconfig"),
		"read-only-port":    "0",
		"hostname-override": a.identity.Name,
		"node-labels":       strings.Join(a.options.NodeLabels, ","),
		"node-ip":           a.identity.IPs[0],
	}
	if !a.options.DisableCCM {
		flags["cloud-provider"] = "external"
		flags["node-ip"] = strings.Join(a.identity.IPs, ",")
	}
	if found.RuntimeRoot != "" {
		flags["runtime-cgroups"] = found.RuntimeRoot
	}
	if dir, err := os.Stat(a.options.CredProviderBn); err == nil && dir.IsDir() {
		if file, err := os.Stat(a.options.CredProvider); err == nil && !file.IsDir() {
			flags["image-credential-provider-bin-dir"] = a.options.CredProviderBn
			flags["image-credential-provider-config"] = a.options.CredProvider
		}
	}
	if a.options.Verbosity > 0 {
		flags["v"] = strconv.Itoa(a.options.Verbosity)
	}
	return flags
}

func (a *Agent) kubeletConfig(found cgroups.Found) (map[string]any, error) {
	resolvConf, err := a.resolvConf()
	if err != nil {
		return nil, err
	}
	taints, err := parseTaints(a.options.NodeTaints)
	if err != nil {
		return nil, err
	}
	driver := "cgroupfs"
	if inUserNS, err := runningInUserNS(); err != nil {
		return nil, err
	} else if !inUserNS && found.Controllers["cpuset"] && os.Getenv("INVOCATION_ID") != "" {
		driver = "systemd"
	}
	endpoint := "unix://" + strings.TrimPrefix(a.runtimeSocket(), "unix://")
	config := map[string]any{
		"apiVersion":                       "kubelet.config.k8s.io/v1beta1",
		"kind":                             "KubeletConfiguration",
		"address":                          "0.0.0.0",
		"healthzBindAddress":               "127.0.0.1",
		"cgroupDriver":                     driver,
		"clusterDNS":                       []string{a.options.ClusterDNS},
		"clusterDomain":                    a.options.ClusterDomain,
		"containerRuntimeEndpoint":         endpoint,
		"failSwapOn":                       false,
		"serializeImagePulls":              false,
		"protectKernelDefaults":            a.options.ProtectKernel,
		"resolvConf":                       resolvConf,
		"staticPodPath":                    a.path("pod-manifests"),
		"tlsCertFile":                      a.path("serving-kubelet.crt"),
		"tlsPrivateKeyFile":                a.path("serving-kubelet.key"),
		"evictionHard":                     map[string]string{"imagefs.available": "5%", "nodefs.available": "5%"},
		"evictionMinimumReclaim":           map[string]string{"imagefs.available": "10%", "nodefs.available": "10%"},
		"evictionPressureTransitionPeriod": "5m0s",
		"cpuManagerReconcilePeriod":        "10s",
		"fileCheckFrequency":               "20s",
		"httpCheckFrequency":               "20s",
		"imageMinimumGCAge":                "2m0s",
		"nodeStatusReportFrequency":        "5m0s",
		"nodeStatusUpdateFrequency":        "10s",
		"runtimeRequestTimeout":            "2m0s",
		"streamingConnectionIdleTimeout":   "4h0m0s",
		"syncFrequency":                    "1m0s",
		"volumeStatsAggPeriod":             "1m0s",
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"webhook":   map[string]any{"enabled": true, "cacheTTL": "2m0s"},
			"x509":      map[string]any{"clientCAFile": a.path("client-ca.crt")},
		},
		"authorization": map[string]any{
			"mode":    "Webhook",
			"webhook": map[string]any{"cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s"},
		},
	}
	if len(taints) > 0 {
		config["registerWithTaints"] = taints
	}
	if !found.Controllers["cpu"] {
		config["cpuCFSQuota"] = false
	}
	if found.KubeletRoot != "" {
		config["kubeletCgroups"] = found.KubeletRoot
	}
	if !a.options.Disable["servicelb"] {
		config["allowedUnsafeSysctls"] = []string{"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"}
	}
	return config, nil
}

// parseTaints reads key=value:effect, key:effect.
func parseTaints(all []string) ([]map[string]string, error) {
	var taints []map[string]string
	for _, given := range all {
		pair, effect, found := strings.Cut(given, ":")
		if !found {
			return nil, fmt.Errorf("invalid node-taint %q: want key=value:effect", given)
		}
		key, value, _ := strings.Cut(pair, "=")
		taints = append(taints, map[string]string{"key": key, "value": value, "effect": effect})
	}
	return taints, nil
}

// resolvConf is the host's file unless it names a loopback or multicast server,
// which pods could not reach; then one with 8.8.8.8 is made, as k3s does.
func (a *Agent) resolvConf() (string, error) {
	if a.options.ResolvConf != "" {
		return a.options.ResolvConf, nil
	}
	for _, file := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		if content, err := os.ReadFile(file); err == nil && usableResolvConf(string(content)) {
			return file, nil
		}
	}
	file := a.path("etc", "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver 8.8.8.8\n"), 0o600); err != nil {
		return "", fmt.Errorf("failed to write %s: %w", file, err)
	}
	logrus.Warn("Host resolv.conf includes loopback or multicast nameservers - kubelet will use autogenerated resolv.conf with nameserver 8.8.8.8")
	return file, nil
}

func usableResolvConf(content string) bool {
	lines := bufio.NewScanner(strings.NewReader(content))
	found := false
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if ip := net.ParseIP(fields[1]); ip == nil || !ip.IsGlobalUnicast() {
			return false
		}
		found = true
	}
	return found
}
