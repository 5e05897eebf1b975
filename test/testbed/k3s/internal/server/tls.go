package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"k3s-in-gvisor/test/testbed/k3s/internal/pki"
)

// files are the paths below <data-dir>/server.
type files struct{ dir string }

func (f files) tls(name string) string    { return filepath.Join(f.dir, "tls", name) }
func (f files) pair(name string) pki.Pair { return pki.In(filepath.Join(f.dir, "tls"), name) }
func (f files) kubeconfig(name string) string {
	return filepath.Join(f.dir, "cred", name+".kubeconfig")
}

func (f files) serverCA() pki.Pair  { return f.pair("server-ca") }
func (f files) clientCA() pki.Pair  { return f.pair("client-ca") }
func (f files) requestCA() pki.Pair { return f.pair("request-header-ca") }

const (
	admin      = "admin"
	controller = "controller"
	scheduler  = "scheduler"
	supervisor = "supervisor"
)

// makeTLS makes the cluster's CAs once and its certificates at each start
// (k3s pkg/daemons/control/deps/deps.go).
func (s *Server) makeTLS() error {
	for ca, name := range map[pki.Pair]string{
		s.files.serverCA(): "k3s-server-ca", s.files.clientCA(): "k3s-client-ca", s.files.requestCA(): "k3s-request-header-ca",
	} {
		if err := pki.EnsureCA(ca, name); err != nil {
			return err
		}
	}
	if err := pki.EnsureKey(s.files.tls("service.key")); err != nil {
		return err
	}
	masters := []string{"system:masters"}
	clients := map[string]pki.Subject{
		"client-admin":          {Name: "system:admin", Groups: masters},
		"client-supervisor":     {Name: "system:k3s-supervisor", Groups: masters},
		"client-controller":     {Name: "system:kube-controller-manager"},
		"client-scheduler":      {Name: "system:kube-scheduler"},
		"client-kube-apiserver": {Name: "system:apiserver", Groups: masters},
		"client-kube-proxy":     {Name: "system:kube-proxy"},
		"client-k3s-controller": {Name: "system:k3s-controller"},
	}
	for name, subject := range clients {
		if err := pki.Issue(s.files.pair(name), s.files.clientCA(), subject); err != nil {
			return err
		}
	}
	if err := pki.Issue(s.files.pair("client-auth-proxy"), s.files.requestCA(), pki.Subject{Name: "system:auth-proxy"}); err != nil {
		return err
	}
	serving := map[string]pki.Subject{
		"serving-kube-apiserver":          {Name: "kube-apiserver", SANs: s.sans()},
		"serving-kube-controller-manager": {Name: "kube-controller-manager", SANs: []string{"localhost", "127.0.0.1"}},
		"serving-kube-scheduler":          {Name: "kube-scheduler", SANs: []string{"localhost", "127.0.0.1"}},
	}
	for name, subject := range serving {
		if err := pki.Issue(s.files.pair(name), s.files.serverCA(), subject); err != nil {
			return err
		}
	}
	for name, client := range map[string]string{
		admin: "client-admin", supervisor: "client-supervisor", controller: "client-controller", scheduler: "client-scheduler",
		"api-server": "client-kube-apiserver",
	} {
		if err := pki.Kubeconfig(s.files.kubeconfig(name), s.apiserverURL(), s.files.serverCA().Cert, s.files.pair(client)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) sans() []string {
	sans := []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + s.options.ClusterDomain,
		"localhost", "127.0.0.1", "::1", s.identity.Name, s.apiServiceIP(),
	}
	sans = append(sans, s.identity.IPs...)
	sans = append(sans, s.options.NodeExternalIPs...)
	sans = append(sans, s.options.TLSSANs...)
	if s.options.AdvertiseIP != "" {
		sans = append(sans, s.options.AdvertiseIP)
	}
	return sans
}

// caHash is the hash a full token pins: SHA-256 of the server CA's file.
func (s *Server) caHash() (string, error) {
	content, err := os.ReadFile(s.files.serverCA().Cert)
	if err != nil {
		return "", fmt.Errorf("failed to read the server CA: %w", err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}
