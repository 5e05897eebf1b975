package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sirupsen/logrus"
	"github.com/vishvananda/netlink"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// startFlannel does on this one node what flannel does: the backend's link, rules, and a CNI configuration for the node's pod network. It stops short of
// routes to other nodes.
func (a *Agent) startFlannel(ctx context.Context) error {
	subnet, err := a.podCIDR(ctx)
	if err != nil {
		return err
	}
	switch a.options.FlannelBackend {
	case "vxlan":
		if err := a.addVXLAN(subnet); err != nil {
			return err
		}
	case "host-gw":
	default:
		return fmt.Errorf("flannel backend %q is not imitated by the stand-in, only vxlan, host-gw and none", a.options.FlannelBackend)
	}
	if err := flannelRules(a.options.ClusterCIDR); err != nil {
		return err
	}
	return a.writeCNI(subnet)
}

// podCIDR waits until the controller manager has given this node its network.
func (a *Agent) podCIDR(ctx context.Context) (*net.IPNet, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", a.path("kubelet.kubeconfig"))
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	var subnet *net.IPNet
	err = untilDone(ctx, "get this node's pod network", func() error {
		node, err := client.CoreV1().Nodes().Get(ctx, a.identity.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		_, subnet, err = net.ParseCIDR(node.Spec.PodCIDR)
		return err
	})
	return subnet, err
}

// flannelRules sets flannel's rules (flannel pkg/trafficmngr/iptables).
func flannelRules(pods string) error {
	comment := func(args ...string) []string {
		return append(args, "-m", "comment", "--comment", "flanneld")
	}
	_ = iptables("-t", "nat", "-N", "FLANNEL-POSTRTG")
	_ = iptables("-t", "filter", "-N", "FLANNEL-FWD")
	for _, rule := range [][]string{
		comment("nat", "FLANNEL-POSTRTG", "-s", pods, "-d", pods, "-j", "RETURN"),
		comment("nat", "FLANNEL-POSTRTG", "-s", pods, "!", "-d", "224.0.0.0/4", "-j", "MASQUERADE", "--random-fully"),
		comment("nat", "POSTROUTING", "-j", "FLANNEL-POSTRTG"),
		comment("filter", "FLANNEL-FWD", "-s", pods, "-j", "ACCEPT"),
		comment("filter", "FLANNEL-FWD", "-d", pods, "-j", "ACCEPT"),
		comment("filter", "FORWARD", "-j", "FLANNEL-FWD"),
	} {
		table, spec := rule[0], rule[1:]
		if iptables(append([]string{"-t", table, "-C"}, spec...)...) == nil {
			continue
		}
		if err := iptables(append([]string{"-t", table, "-A"}, spec...)...); err != nil {
			return fmt.Errorf("failed to setup IPTables: %w", err)
		}
	}
	return nil
}

func iptables(args ...string) error {
	output, err := exec.Command("iptables", append([]string{"--wait"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("iptables %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(output))
	}
	return nil
}

// addVXLAN makes flannel.1 on the interface of the node's address.
func (a *Agent) addVXLAN(subnet *net.IPNet) error {
	parent, address, err := interfaceOf(a.options.FlannelIface, a.identity.IPs[0])
	if err != nil {
		return err
	}
	link := &netlink.Vxlan{
		LinkAttrs:    netlink.LinkAttrs{Name: "flannel.1", MTU: parent.Attrs().MTU - 50},
		VxlanId:      1,
		VtepDevIndex: parent.Attrs().Index,
		SrcAddr:      address,
		Port:         8472,
	}
	if err := netlink.LinkAdd(link); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("error registering network: failed to create vxlan link flannel.1: %w", err)
	}
	made, err := netlink.LinkByName("flannel.1")
	if err != nil {
		return err
	}
	ip := &netlink.Addr{IPNet: &net.IPNet{IP: subnet.IP, Mask: net.CIDRMask(32, 32)}}
	if err := netlink.AddrReplace(made, ip); err != nil {
		return fmt.Errorf("failed to set the address of flannel.1: %w", err)
	}
	return netlink.LinkSetUp(made)
}

func interfaceOf(name, ip string) (netlink.Link, net.IP, error) {
	address := net.ParseIP(ip)
	if name != "" {
		link, err := netlink.LinkByName(name)
		return link, address, err
	}
	links, err := netlink.LinkList()
	if err != nil {
		return nil, nil, err
	}
	for _, link := range links {
		addresses, err := netlink.AddrList(link, netlink.FAMILY_V4)
		if err != nil {
			return nil, nil, err
		}
		for _, each := range addresses {
			if each.IP.Equal(address) {
				return link, address, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("failed to find the interface of node-ip %s", ip)
}

// writeCNI writes the configuration flannel's plugin would delegate to: bridge
// cni0 with host-local, then portmap and bandwidth, as k3s chains them.
func (a *Agent) writeCNI(subnet *net.IPNet) error {
	conflist := map[string]any{
		"name":       "cbr0",
		"cniVersion": "1.0.0",
		"plugins": []any{
			map[string]any{
				"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "forceAddress": true,
				"ipam": map[string]any{
					"type":   "host-local",
					"ranges": []any{[]any{map[string]string{"subnet": subnet.String()}}},
					"routes": []any{map[string]string{"dst": "0.0.0.0/0"}},
				},
			},
			map[string]any{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
			map[string]any{"type": "bandwidth", "capabilities": map[string]bool{"bandwidth": true}},
		},
	}
	content, err := json.MarshalIndent(conflist, "", "  ")
	if err != nil {
		return err
	}
	dir := a.path("etc", "cni", "net.d")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	logrus.Infof("Flannel found PodCIDR assigned for node %s", a.identity.Name)
	return os.WriteFile(filepath.Join(dir, "10-flannel.conflist"), content, 0o600)
}

// checkNetworkPolicy tries what kube-router needs at its start: chains of its own
// with comments and marks, and ipset.
func checkNetworkPolicy() error {
	if _, err := exec.LookPath("iptables"); err != nil {
		return err
	}
	const chain = "KUBE-ROUTER-INPUT"
	_ = iptables("-t", "filter", "-N", chain)
	defer func() {
		_ = iptables("-t", "filter", "-F", chain)
		_ = iptables("-t", "filter", "-X", chain)
	}()
	if err := iptables("-t", "filter", "-A", chain, "-m", "comment", "--comment", "kube-router netpol", "-m", "mark", "--mark", "0x20000/0x20000", "-j", "RETURN"); err != nil {
		return err
	}
	if _, _, err := netlink.IpsetProtocol(); err != nil {
		return fmt.Errorf("ipset: %w", err)
	}
	return nil
}
