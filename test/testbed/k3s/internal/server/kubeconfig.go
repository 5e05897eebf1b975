package server

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"k3s-in-gvisor/test/testbed/k3s/internal/config"

	"github.com/sirupsen/logrus"
)

// writeKubeconfig writes the admin's kubeconfig, with the certificates inside.
// k3s does this before the API server answers.
func (s *Server) writeKubeconfig() error {
	mode, err := strconv.ParseUint(s.options.KubeconfigMode, 8, 32)
	if err != nil {
		return fmt.Errorf("invalid write-kubeconfig-mode %s: %w", s.options.KubeconfigMode, err)
	}
	host := s.options.BindAddress
	if host == "" || host == "0.0.0.0" {
		host = "127.0.0.1"
	}
	encoded := map[string]string{}
	client := s.files.pair("client-admin")
	for key, file := range map[string]string{"ca": s.files.serverCA().Cert, "cert": client.Cert, "key": client.Key} {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		encoded[key] = base64.StdEncoding.EncodeToString(content)
	}
	content := fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: https://%s:%d
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
users:
- name: default
  user:
    client-certificate-data: %s
    client-key-data: %s
`, encoded["ca"], host, s.options.HTTPSPort, encoded["cert"], encoded["key"])

	path := s.options.KubeconfigOutput
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("failed to write kubeconfig %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return fmt.Errorf("failed to write kubeconfig %s: %w", path, err)
	}
	if err := os.Chmod(path, os.FileMode(mode)); err != nil {
		return fmt.Errorf("failed to set the mode of kubeconfig %s: %w", path, err)
	}
	logrus.Infof("Wrote kubeconfig %s", path)
	if path == config.DefaultKubeconfig {
		return nil
	}
	// kubectl's usual place leads there too, as with k3s.
	if err := os.MkdirAll(filepath.Dir(config.DefaultKubeconfig), 0o755); err != nil {
		return err
	}
	return relink(config.DefaultKubeconfig, path)
}
