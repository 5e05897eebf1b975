package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sirupsen/logrus"
)

// configureSystem loads modules and sets sysctls as k3s does, where failing is
// only logged (k3s pkg/agent/syssetup).
func configureSystem() {
	for _, module := range []string{"overlay", "nf_conntrack", "br_netfilter", "iptable_nat", "iptable_filter", "nft-expr-counter", "nfnetlink-subsys-11", "nft-chain-2-nat"} {
		if _, err := os.Stat("/sys/module/" + module); err == nil {
			logrus.Infof("Module %s was already loaded", module)
		} else if err := exec.Command("modprobe", "--", module).Run(); err != nil {
			logrus.Warnf("Failed to load kernel module %s with modprobe", module)
		}
	}
	for _, name := range []string{"net/ipv4/conf/all/forwarding", "net/ipv4/conf/default/forwarding", "net/bridge/bridge-nf-call-iptables"} {
		file := filepath.Join("/proc/sys", name)
		if content, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(content)) == "1" {
			continue
		}
		logrus.Infof("Set sysctl '%s' to 1", name)
		if err := os.WriteFile(file, []byte("1"), 0o640); err != nil {
			logrus.Errorf("Failed to set sysctl: %v", err)
		}
	}
}
