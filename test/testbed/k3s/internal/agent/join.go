package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k3s-in-gvisor/test/testbed/k3s/internal/config"
	"k3s-in-gvisor/test/testbed/k3s/internal/join"
	"k3s-in-gvisor/test/testbed/k3s/internal/node"
	"k3s-in-gvisor/test/testbed/k3s/internal/pki"
	"k3s-in-gvisor/test/testbed/k3s/internal/process"

	"github.com/sirupsen/logrus"
)

// How long k3s waits before it tries again to reach the server, and to be taken in:
// of that up to twice as long.
const (
	reachRetry = 2 * time.Second
	enterRetry = 5 * time.Second
)

// Join makes this node a member of the cluster at --server: credentials into
// <data-dir>/agent, the server's decisions into the options. The channel is
// closed when the API server answers (k3s pkg/agent/config, pkg/agent/run.go).
func Join(options *config.Options, identity node.Identity, group *process.Group) (<-chan struct{}, error) {
	if options.Token == "" {
		return nil, errors.New("--token is required")
	}
	if options.ServerURL == "" {
		return nil, errors.New("--server is required")
	}
	if err := identity.EnsurePassword(); err != nil {
		return nil, err
	}
	client, err := reach(options, group)
	if err != nil {
		return nil, err
	}
	for {
		err := enter(client, options, identity)
		if err == nil {
			break
		}
		logrus.Infof("Waiting to retrieve agent configuration; server is not ready: %v", err)
		if err := process.Pause(group.Context, enterRetry+rand.N(enterRetry)); err != nil {
			return nil, err
		}
	}
	if err := startLoadBalancer(options, group); err != nil {
		return nil, err
	}
	return untilAPI(options, client.CA, group), nil
}

// reach tries until a server with the token's CA answers; a token that is none is
// tried again as well.
func reach(options *config.Options, group *process.Group) (*join.Client, error) {
	for {
		client, err := dial(options)
		if err == nil {
			return client, nil
		}
		logrus.Errorf("Failed to validate connection to cluster at %s: %v", options.ServerURL, err)
		if err := process.Pause(group.Context, reachRetry); err != nil {
			return nil, err
		}
	}
}

func dial(options *config.Options) (*join.Client, error) {
	token, err := join.ParseToken(options.Token)
	if err != nil {
		return nil, err
	}
	client, err := join.Dial(options.ServerURL, token)
	if err == nil && token.CAHash == "" {
		logrus.Warn("Cluster CA certificate is not trusted by the host CA bundle, but the token does not include a CA hash. Use the full token from the server's node-token file to enable Cluster CA validation.")
	}
	return client, err
}

// enter is one attempt.
func enter(client *join.Client, options *config.Options, identity node.Identity) error {
	decided, err := client.Config()
	if err != nil {
		return fmt.Errorf("failed to retrieve configuration from server: %w", err)
	}
	options.ClusterCIDR, options.ServiceCIDR = decided.ClusterCIDR, decided.ServiceCIDR
	options.ClusterDNS, options.ClusterDomain = decided.ClusterDNS, decided.ClusterDomain
	options.FlannelBackend, options.EgressMode = decided.FlannelBackend, decided.EgressMode
	options.DisableCCM, options.DisableProxy, options.DisableNetpol = decided.DisableCCM, decided.DisableProxy, decided.DisableNetpol
	return fetchCredentials(client, filepath.Join(options.DataDir, "agent"), loadBalancerURL(options), identity)
}

func fetchCredentials(client *join.Client, dir, url string, identity node.Identity) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"client-ca.crt", "server-ca.crt"} {
		content, err := client.Get(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	password, err := os.ReadFile(node.PasswordFile)
	if err != nil {
		return err
	}
	headers := map[string]string{
		join.NodeNameHeader:     identity.Name,
		join.NodePasswordHeader: strings.TrimSpace(string(password)),
		join.NodeIPHeader:       strings.Join(identity.IPs, ","),
	}
	kubeconfigs := map[string]string{
		"serving-kubelet": "", "client-kubelet": "kubelet.kubeconfig",
		"client-kube-proxy": "kubeproxy.kubeconfig", "client-k3s-controller": "k3scontroller.kubeconfig",
	}
	for name, kubeconfig := range kubeconfigs {
		pair := pki.In(dir, name)
		request, err := pki.Request(pair)
		if err != nil {
			return err
		}
		certificate, err := client.Sign(name+".crt", request, headers)
		var refused *join.StatusError
		if errors.As(err, &refused) && refused.Status == http.StatusForbidden {
			return fmt.Errorf("Node password rejected, duplicate hostname or contents of '%s' may not match server node-passwd entry, try enabling a unique node name with the --with-node-id flag", node.PasswordFile)
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(pair.Cert, certificate, 0o644); err != nil {
			return err
		}
		if kubeconfig == "" {
			continue
		}
		if err := pki.Kubeconfig(filepath.Join(dir, kubeconfig), url, filepath.Join(dir, "server-ca.crt"), pair); err != nil {
			return err
		}
	}
	return nil
}

func loadBalancerURL(options *config.Options) string {
	return fmt.Sprintf("https://127.0.0.1:%d", options.LoadBalancerPort)
}

// startLoadBalancer is the agent's way to the API server. k3s's follows the
// endpoints of default/kubernetes; this one knows the one server it was given.
func startLoadBalancer(options *config.Options, group *process.Group) error {
	server, err := url.Parse(options.ServerURL)
	if err != nil {
		return err
	}
	address := server.Host
	if server.Port() == "" {
		address = net.JoinHostPort(server.Hostname(), "443")
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(options.LoadBalancerPort)))
	if err != nil {
		return err
	}
	logrus.Infof("Running load balancer k3s-agent-load-balancer %s -> [%s]", listener.Addr(), address)
	go func() {
		<-group.Context.Done()
		listener.Close()
	}()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(client, address)
		}
	}()
	return nil
}

func relay(client net.Conn, address string) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			io.Copy(way[1], way[0])
			ended <- struct{}{}
		}()
	}
	<-ended
}

func untilAPI(options *config.Options, ca []byte, group *process.Group) <-chan struct{} {
	ready := make(chan struct{})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	go func() {
		pair := pki.In(filepath.Join(options.DataDir, "agent"), "client-kubelet")
		_ = untilDone(group.Context, "reach the API server", func() error {
			certificate, err := tls.LoadX509KeyPair(pair.Cert, pair.Key)
			if err != nil {
				return err
			}
			return askReady(group.Context, loadBalancerURL(options), &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}})
		})
		if group.Context.Err() == nil {
			close(ready)
		}
	}()
	return ready
}

func askReady(ctx context.Context, url string, config *tls.Config) error {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the API server answers %s", response.Status)
	}
	return nil
}
