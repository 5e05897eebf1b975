package server

import (
	"strconv"
	"strings"
	"syscall"

	"k3s-in-gvisor/test/testbed/k3s/internal/argmap"
	"k3s-in-gvisor/test/testbed/k3s/internal/process"

	"github.com/sirupsen/logrus"
)

const loopback = "127.0.0.1"

// startComponent runs this very binary under the component's name.
func (s *Server) startComponent(name string, defaults map[string]string, user []string) error {
	if s.options.Verbosity > 0 {
		defaults["v"] = strconv.Itoa(s.options.Verbosity)
	}
	args := argmap.Merge(defaults, user)
	logrus.Infof("Running %s %s", name, strings.Join(args, " "))
	return s.group.Start(process.Spec{Name: name, Path: "/proc/self/exe", Args: args, Dir: s.files.dir, OnParentDeath: syscall.SIGKILL})
}

// The arguments below are k3s's (pkg/daemons/control/server.go) except where a
// comment says otherwise.

func (s *Server) startAPIServer() error {
	f := s.files
	bind := s.options.APIServerBind
	if bind == "" {
		bind = loopback
	}
	serving, kubelet, proxy := f.pair("serving-kube-apiserver"), f.pair("client-kube-apiserver"), f.pair("client-auth-proxy")
	args := map[string]string{
		"storage-backend":                    "etcd3",
		"etcd-servers":                       "unix://kine.sock",
		"cert-dir":                           f.tls("temporary-certs"),
		"allow-privileged":                   "true",
		"enable-bootstrap-token-auth":        "true",
		"authorization-mode":                 "Node,RBAC",
		"anonymous-auth":                     "false",
		"service-account-signing-key-file":   f.tls("service.key"),
		"service-account-key-file":           f.tls("service.key"),
		"service-account-issuer":             "https://kubernetes.default.svc." + s.options.ClusterDomain,
		"api-audiences":                      "https://kubernetes.default.svc." + s.options.ClusterDomain + ",k3s",
		"service-cluster-ip-range":           s.options.ServiceCIDR,
		"service-node-port-range":            s.options.NodePortRange,
		"advertise-address":                  s.options.AdvertiseIP,
		"secure-port":                        strconv.Itoa(s.options.APIServerPort),
		"bind-address":                       bind,
		"tls-cert-file":                      serving.Cert,
		"tls-private-key-file":               serving.Key,
		"tls-cipher-suites":                  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
		"kubelet-certificate-authority":      f.serverCA().Cert,
		"kubelet-client-certificate":         kubelet.Cert,
		"kubelet-client-key":                 kubelet.Key,
		"kubelet-preferred-address-types":    "InternalIP,ExternalIP,Hostname",
		"requestheader-client-ca-file":       f.requestCA().Cert,
		"requestheader-allowed-names":        "system:auth-proxy",
		"requestheader-extra-headers-prefix": "X-Remote-Extra-",
		"requestheader-group-headers":        "X-Remote-Group",
		"requestheader-username-headers":     "X-Remote-User",
		"proxy-client-cert-file":             proxy.Cert,
		"proxy-client-key-file":              proxy.Key,
		"client-ca-file":                     f.clientCA().Cert,
		"enable-admission-plugins":           "NodeRestriction",
		"profiling":                          "false",
		// k3s patches in an --advertise-port; upstream would publish secure-port
		// (on loopback) as the kubernetes Service's endpoint. endpoints.go
		// publishes the supervisor port instead.
		"endpoint-reconciler-type": "none",
	}
	return s.startComponent("kube-apiserver", args, s.options.APIServerArgs)
}

func (s *Server) startControllerManager() error {
	f := s.files
	serving := f.pair("serving-kube-controller-manager")
	args := map[string]string{
		"controllers":                      "*,tokencleaner",
		"kubeconfig":                       f.kubeconfig(controller),
		"authorization-kubeconfig":         f.kubeconfig(controller),
		"authentication-kubeconfig":        f.kubeconfig(controller),
		"service-account-private-key-file": f.tls("service.key"),
		"allocate-node-cidrs":              "true",
		"service-cluster-ip-range":         s.options.ServiceCIDR,
		"cluster-cidr":                     s.options.ClusterCIDR,
		"root-ca-file":                     f.serverCA().Cert,
		"profiling":                        "false",
		"tls-cert-file":                    serving.Cert,
		"tls-private-key-file":             serving.Key,
		"bind-address":                     loopback,
		"secure-port":                      "10257",
		"use-service-account-credentials":  "true",
		"leader-elect":                     "false",
		"cluster-signing-kube-apiserver-client-cert-file": f.clientCA().Cert,
		"cluster-signing-kube-apiserver-client-key-file":  f.clientCA().Key,
		"cluster-signing-kubelet-client-cert-file":        f.clientCA().Cert,
		"cluster-signing-kubelet-client-key-file":         f.clientCA().Key,
		"cluster-signing-kubelet-serving-cert-file":       f.serverCA().Cert,
		"cluster-signing-kubelet-serving-key-file":        f.serverCA().Key,
		"cluster-signing-legacy-unknown-cert-file":        f.serverCA().Cert,
		"cluster-signing-legacy-unknown-key-file":         f.serverCA().Key,
	}
	if !s.options.DisableCCM {
		args["configure-cloud-routes"] = "false"
		args["controllers"] += ",-service,-route,-cloud-node-lifecycle"
	}
	return s.startComponent("kube-controller-manager", args, s.options.KCMArgs)
}

func (s *Server) startScheduler() error {
	f := s.files
	serving := f.pair("serving-kube-scheduler")
	return s.startComponent("kube-scheduler", map[string]string{
		"kubeconfig":                f.kubeconfig(scheduler),
		"authorization-kubeconfig":  f.kubeconfig(scheduler),
		"authentication-kubeconfig": f.kubeconfig(scheduler),
		"bind-address":              loopback,
		"secure-port":               "10259",
		"tls-cert-file":             serving.Cert,
		"tls-private-key-file":      serving.Key,
		"profiling":                 "false",
		"leader-elect":              "false",
	}, s.options.SchedulerArgs)
}
