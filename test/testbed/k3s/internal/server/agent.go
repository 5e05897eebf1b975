package server

import (
	"fmt"
	"os"
	"path/filepath"

	"k3s-in-gvisor/test/testbed/k3s/internal/node"
	"k3s-in-gvisor/test/testbed/k3s/internal/pki"
)

// IssueAgent puts a node's credentials into its agent directory: what an agent
// of another host would fetch from the supervisor with its token.
func (s *Server) IssueAgent(dir string, identity node.Identity) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, ca := range map[string]pki.Pair{"client-ca.crt": s.files.clientCA(), "server-ca.crt": s.files.serverCA()} {
		content, err := os.ReadFile(ca.Cert)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	serving := pki.Subject{Name: identity.Name, SANs: append([]string{identity.Name, "localhost", "127.0.0.1"}, identity.IPs...)}
	if err := pki.Issue(pki.In(dir, "serving-kubelet"), s.files.serverCA(), serving); err != nil {
		return err
	}
	clients := map[string]struct {
		subject    pki.Subject
		kubeconfig string
	}{
		"client-kubelet":        {pki.Subject{Name: "system:node:" + identity.Name, Groups: []string{"system:nodes"}}, "kubelet.kubeconfig"},
		"client-kube-proxy":     {pki.Subject{Name: "system:kube-proxy"}, "kubeproxy.kubeconfig"},
		"client-k3s-controller": {pki.Subject{Name: "system:k3s-controller"}, "k3scontroller.kubeconfig"},
	}
	url := fmt.Sprintf("https://127.0.0.1:%d", s.options.HTTPSPort)
	for name, client := range clients {
		pair := pki.In(dir, name)
		if err := pki.Issue(pair, s.files.clientCA(), client.subject); err != nil {
			return err
		}
		if err := pki.Kubeconfig(filepath.Join(dir, client.kubeconfig), url, filepath.Join(dir, "server-ca.crt"), pair); err != nil {
			return err
		}
	}
	return nil
}
