// Package server runs the control plane as `k3s server` does: datastore, API
// server, and only when that is ready controller manager and scheduler, with the
// packaged manifests and k3s's own small controllers beside them.
package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"k3s-in-gvisor/test/testbed/k3s/internal/config"
	"k3s-in-gvisor/test/testbed/k3s/internal/node"
	"k3s-in-gvisor/test/testbed/k3s/internal/process"

	"github.com/sirupsen/logrus"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// readyPoll is how often k3s asks for the datastore and for /readyz.
const readyPoll = 2 * time.Second

// Server is one control plane.
type Server struct {
	options  *config.Options
	identity node.Identity
	group    *process.Group
	files    files
	// Ready is closed when /readyz has answered "ok".
	Ready chan struct{}
}

// New makes the server's files: certificates, tokens, kubeconfig.
func New(options *config.Options, identity node.Identity, group *process.Group) (*Server, error) {
	if options.ClusterInit {
		return nil, errors.New("--cluster-init (embedded etcd) is not imitated by the stand-in")
	}
	if options.ServerURL != "" {
		return nil, errors.New("--server of k3s server (joining an existing cluster) is not imitated by the stand-in")
	}
	s := &Server{
		options: options, identity: identity, group: group,
		files: files{filepath.Join(options.DataDir, "server")},
		Ready: make(chan struct{}),
	}
	if s.options.AdvertiseIP == "" {
		s.options.AdvertiseIP = identity.IPs[0]
	}
	for _, dir := range []string{"tls", "cred", "etc", "db", "manifests"} {
		if err := os.MkdirAll(filepath.Join(s.files.dir, dir), 0o700); err != nil {
			return nil, err
		}
	}
	for _, step := range []func() error{s.makeTLS, s.writeTokens, s.configureAgent, s.writeKubeconfig} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// agentRetry is how long k3s waits between two attempts, up to twice as long.
const agentRetry = 5 * time.Second

// configureAgent: k3s 1.36 fetches an agent's configuration without an agent, too
// (pkg/agent/config, Get), which ends with the node's password below a fixed
// path. Where that cannot be written it tries for ever, and nothing else starts.
func (s *Server) configureAgent() error {
	if !s.options.DisableAgent {
		return nil
	}
	for {
		err := s.identity.EnsurePassword()
		if err == nil {
			return nil
		}
		logrus.Infof("Waiting to retrieve agent configuration; server is not ready: %v", err)
		if err := process.Pause(s.group.Context, agentRetry+rand.N(agentRetry)); err != nil {
			return err
		}
	}
}

// Start starts everything; what comes later waits for its turn in the background.
func (s *Server) Start() error {
	listener, err := s.listenFront()
	if err != nil {
		return err
	}
	s.background("supervisor", func(ctx context.Context) error { return s.serveFront(ctx, listener) })
	if err := s.startDatastore(); err != nil {
		return err
	}
	s.background("control plane", s.bringUp)
	return nil
}

// background runs work whose failure ends k3s.
func (s *Server) background(name string, work func(context.Context) error) {
	go func() {
		if err := work(s.group.Context); err != nil && s.group.Context.Err() == nil {
			s.group.Fail(fmt.Errorf("%s: %w", name, err))
		}
	}()
}

func (s *Server) bringUp(ctx context.Context) error {
	if err := s.waitDatastore(ctx); err != nil {
		return err
	}
	if err := s.startAPIServer(); err != nil {
		return err
	}
	client, err := s.client(supervisor)
	if err != nil {
		return err
	}
	logrus.Info("Waiting for API server to become available")
	if err := waitReady(ctx, client); err != nil {
		return err
	}
	logrus.Info("Kube API server is now running")
	close(s.Ready)
	logrus.Info("k3s is up and running")

	if !s.options.DisableKCM {
		if err := s.startControllerManager(); err != nil {
			return err
		}
	}
	s.startControllers(client)
	if !s.options.DisableSched {
		if !s.options.DisableCCM {
			logrus.Info("Waiting for untainted node")
			if err := waitUntainted(ctx, client); err != nil {
				return err
			}
		}
		return s.startScheduler()
	}
	return nil
}

// startDatastore starts kine on sqlite; `unix://kine.sock` and `db/state.db` are
// relative to server/, which is the working directory as in k3s.
func (s *Server) startDatastore() error {
	endpoint := s.options.DatastoreURL
	if endpoint == "" {
		endpoint = "sqlite://./db/state.db?_journal=WAL&cache=shared&_busy_timeout=30000&_txlock=immediate"
	}
	return s.group.Start(process.Spec{
		Name: "kine", Path: assets("kine"), Dir: s.files.dir, OnParentDeath: syscall.SIGKILL, Last: true,
		Args: []string{"--listen-address=unix://kine.sock", "--endpoint=" + endpoint, "--metrics-bind-address=0"},
	})
}

func (s *Server) waitDatastore(ctx context.Context) error {
	socket := filepath.Join(s.files.dir, "kine.sock")
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(readyPoll):
		}
		connection, err := net.Dial("unix", socket)
		if err == nil {
			connection.Close()
			logrus.Info("Kine available at unix://kine.sock")
			return nil
		}
		logrus.Infof("Waiting for datastore connection: %v", err)
	}
}

func waitReady(ctx context.Context, client *kubernetes.Clientset) error {
	for {
		body, err := client.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil && string(body) == "ok" {
			return nil
		}
		logrus.Debugf("API server is not ready: %v", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(readyPoll):
		}
	}
}

func (s *Server) restConfig(user string) (*rest.Config, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", s.files.kubeconfig(user))
	if err != nil {
		return nil, fmt.Errorf("failed to read the %s kubeconfig: %w", user, err)
	}
	// The applier and the controllers of one test cluster, on loopback.
	cfg.QPS, cfg.Burst = 100, 200
	return cfg, nil
}

func (s *Server) client(user string) (*kubernetes.Clientset, error) {
	cfg, err := s.restConfig(user)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(cfg)
}

func (s *Server) apiserverURL() string {
	return fmt.Sprintf("https://127.0.0.1:%d", s.options.APIServerPort)
}

// AgentURL is where this host's agent finds the API server.
func (s *Server) AgentURL() string { return s.apiserverURL() }

// apiServiceIP is the address of the `kubernetes` Service: the first of the range.
func (s *Server) apiServiceIP() string {
	_, services, _ := net.ParseCIDR(s.options.ServiceCIDR)
	ip := services.IP.To4()
	return net.IPv4(ip[0], ip[1], ip[2], ip[3]+1).String()
}

// assets is the path of an unpacked program: beside the running one.
func assets(name string) string {
	self, err := os.Executable()
	if err != nil {
		// Only without /proc, where nothing of this works.
		panic(err)
	}
	return filepath.Join(filepath.Dir(self), name)
}
