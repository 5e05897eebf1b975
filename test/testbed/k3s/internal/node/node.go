// Package node finds the node's name and addresses as k3s does.
package node

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// Identity is the node's name and its addresses, the main one first.
type Identity struct {
	Name string
	IPs  []string
}

// Identify takes what the user gave and finds the rest: without --node-ip the
// host needs a default route (k3s pkg/util/net.go, GetHostnameAndIPs).
func Identify(name string, ips []string) (Identity, error) {
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return Identity{}, err
		}
		name = host
	}
	// Host names are used in lower case, as kubelet does.
	name = strings.ToLower(name)
	if len(ips) == 0 {
		ip, err := utilnet.ChooseHostInterface()
		if err != nil {
			return Identity{}, err
		}
		return Identity{name, []string{ip.String()}}, nil
	}
	for _, ip := range ips {
		if net.ParseIP(ip) == nil {
			return Identity{}, fmt.Errorf("invalid node-ip %s: %w", ip, errors.New("not an IP address"))
		}
	}
	return Identity{name, ips}, nil
}

// PasswordFile is the same whatever the data directory is.
const PasswordFile = "/etc/rancher/node/password"

// EnsurePassword keeps the node's password, by which a server recognises it.
func (Identity) EnsurePassword() error {
	if err := os.MkdirAll(filepath.Dir(PasswordFile), 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(PasswordFile); err == nil {
		return nil
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	return os.WriteFile(PasswordFile, []byte(hex.EncodeToString(random)+"\n"), 0o600)
}
