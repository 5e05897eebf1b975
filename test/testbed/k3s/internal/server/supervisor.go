package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"

	"k3s-in-gvisor/test/testbed/k3s/internal/join"
	"k3s-in-gvisor/test/testbed/k3s/internal/pki"

	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// supervisorAPI is what an agent asks while it joins, below /v1-k3s/
// (k3s pkg/server/handlers).
type supervisorAPI struct {
	server *Server
}

func (a supervisorAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !a.server.isNode(r) {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	switch name := path.Base(r.URL.Path); name {
	case "readyz":
		if !a.server.isReady() {
			http.Error(w, "apiserver not ready", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ok")
	case "config":
		json.NewEncoder(w).Encode(a.server.joinConfig())
	case "client-ca.crt", "server-ca.crt":
		content, err := os.ReadFile(a.server.files.tls(name))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Write(content)
	case "serving-kubelet.crt", "client-kubelet.crt", "client-kube-proxy.crt", "client-k3s-controller.crt":
		a.sign(w, r, name)
	default:
		http.NotFound(w, r)
	}
}

func (a supervisorAPI) sign(w http.ResponseWriter, r *http.Request, name string) {
	csr, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	node := strings.ToLower(r.Header.Get(join.NodeNameHeader))
	ca, subject := a.server.files.clientCA(), pki.Subject{}
	switch name {
	case "client-kube-proxy.crt":
		subject.Name = "system:kube-proxy"
	case "client-k3s-controller.crt":
		subject.Name = "system:k3s-controller"
	default:
		if status, err := a.server.ensureNodePassword(r.Context(), node, r.Header.Get(join.NodePasswordHeader)); err != nil {
			http.Error(w, err.Error(), status)
			return
		}
		subject = pki.Subject{Name: "system:node:" + node, Groups: []string{"system:nodes"}}
		if name == "serving-kubelet.crt" {
			ca = a.server.files.serverCA()
			ips := strings.Split(r.Header.Get(join.NodeIPHeader), ",")
			subject = pki.Subject{Name: node, SANs: append([]string{node, "localhost", "127.0.0.1"}, ips...)}
		}
	}
	certificate, err := pki.Sign(csr, ca, subject)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Write(certificate)
}

// isNode: the passwords of server/token and server/agent-token.
func (s *Server) isNode(r *http.Request) bool {
	user, password, given := r.BasicAuth()
	if !given {
		return false
	}
	file := map[string]string{"server": "token", "node": "agent-token"}[user]
	if file == "" {
		return false
	}
	content, err := os.ReadFile(path.Join(s.files.dir, file))
	if err != nil {
		return false
	}
	expected := passwordOf(strings.TrimSpace(string(content)))
	return subtle.ConstantTimeCompare([]byte(expected), []byte(password)) == 1
}

func (s *Server) isReady() bool {
	select {
	case <-s.Ready:
		return true
	default:
		return false
	}
}

func (s *Server) joinConfig() join.Config {
	return join.Config{
		ClusterCIDR: s.options.ClusterCIDR, ServiceCIDR: s.options.ServiceCIDR,
		ClusterDNS: s.options.ClusterDNS, ClusterDomain: s.options.ClusterDomain,
		FlannelBackend: s.options.FlannelBackend, EgressMode: s.options.EgressMode,
		DisableCCM: s.options.DisableCCM, DisableProxy: s.options.DisableProxy, DisableNetpol: s.options.DisableNetpol,
	}
}

// ensureNodePassword: a name belongs to whoever came with it first, until the
// node is deleted (k3s pkg/nodepassword).
func (s *Server) ensureNodePassword(ctx context.Context, node, password string) (int, error) {
	if node == "" || password == "" {
		return http.StatusBadRequest, errors.New("node name and node password are needed")
	}
	if !s.isReady() {
		return http.StatusServiceUnavailable, errors.New("apiserver not ready")
	}
	client, err := s.client(supervisor)
	if err != nil {
		return http.StatusInternalServerError, err
	}
	sum := sha256.Sum256([]byte(node + ":" + password))
	return ensureSecret(ctx, client, node, hex.EncodeToString(sum[:]))
}

func ensureSecret(ctx context.Context, client kubernetes.Interface, node, hash string) (int, error) {
	secrets := client.CoreV1().Secrets("kube-system")
	immutable := true
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: node + nodePasswordSuffix},
		Immutable:  &immutable,
		Data:       map[string][]byte{"hash": []byte(hash)},
	}
	_, err := secrets.Create(ctx, secret, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		return http.StatusInternalServerError, err
	}
	known, err := secrets.Get(ctx, secret.Name, metav1.GetOptions{})
	if err != nil {
		return http.StatusInternalServerError, err
	}
	if subtle.ConstantTimeCompare(known.Data["hash"], []byte(hash)) != 1 {
		return http.StatusForbidden, fmt.Errorf("unable to verify hash for node '%s': hash does not match", node)
	}
	return http.StatusOK, nil
}

// forgetPasswords: whoever comes with the name of a node that was deleted may have it.
func forgetPasswords(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	forget := func(object any) {
		key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
		if err == nil {
			err = client.CoreV1().Secrets("kube-system").Delete(ctx, key+nodePasswordSuffix, metav1.DeleteOptions{})
		}
		if err != nil && !apierrors.IsNotFound(err) {
			logrus.Warnf("Unable to remove node password: %v", err)
		}
	}
	if _, err := factory.Core().V1().Nodes().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: forget}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	return nil
}

const nodePasswordSuffix = ".node-password.k3s"
