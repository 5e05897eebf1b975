package server

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sort"
	"strings"
	"time"

	"k3s-in-gvisor/test/testbed/k3s/internal/process"

	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/retry"
)

// uninitializedTaint is what kubelet sets with --cloud-provider=external.
const uninitializedTaint = "node.cloudprovider.kubernetes.io/uninitialized"

func (s *Server) startControllers(client *kubernetes.Clientset) {
	s.background("kubernetes endpoints", func(ctx context.Context) error { return s.publishEndpoints(ctx, client) })
	s.background("controllers", func(ctx context.Context) error {
		if process.Pause(ctx, staging) != nil {
			return nil
		}
		if err := s.stageManifests(); err != nil {
			return err
		}
		if process.Pause(ctx, caches) != nil {
			return nil
		}
		s.background("manifests", s.deployManifests)
		return s.onNodeChange(ctx, client, s.labelNode, s.writeNodeHosts)
	})
	s.background("node passwords", func(ctx context.Context) error { return forgetPasswords(ctx, client) })
	if !s.options.DisableCCM {
		s.background("cloud controller", func(ctx context.Context) error { return s.onNodeChange(ctx, client, initialize) })
	}
	if s.options.RunsCCM() && !s.options.Disable["servicelb"] {
		s.background("servicelb", func(ctx context.Context) error { return s.watchServices(ctx, client) })
	}
}

// publishEndpoints makes the endpoints of default/kubernetes, as the API server's
// own reconciler would with k3s's --advertise-port.
func (s *Server) publishEndpoints(ctx context.Context, client *kubernetes.Clientset) error {
	port, https, tcp, ready := int32(s.options.AdvertisePort), "https", corev1.ProtocolTCP, true
	endpoints := &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{Name: "kubernetes", Namespace: "default", Labels: map[string]string{discoveryv1.LabelSkipMirror: "true"}},
		Subsets: []corev1.EndpointSubset{{
			Addresses: []corev1.EndpointAddress{{IP: s.options.AdvertiseIP}},
			Ports:     []corev1.EndpointPort{{Name: https, Port: port, Protocol: tcp}},
		}},
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "kubernetes", Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{s.options.AdvertiseIP}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
		Ports:       []discoveryv1.EndpointPort{{Name: &https, Port: &port, Protocol: &tcp}},
	}
	return untilDone(ctx, "publish the kubernetes endpoints", func() error {
		_, err := client.CoreV1().Endpoints("default").Create(ctx, endpoints, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			_, err = client.CoreV1().Endpoints("default").Update(ctx, endpoints, metav1.UpdateOptions{})
		}
		if err != nil {
			return err
		}
		_, err = client.DiscoveryV1().EndpointSlices("default").Create(ctx, slice, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			_, err = client.DiscoveryV1().EndpointSlices("default").Update(ctx, slice, metav1.UpdateOptions{})
		}
		return err
	})
}

// untilDone repeats until the action succeeds: right after /readyz some requests
// still fail (the default namespace does not exist yet, for one).
func untilDone(ctx context.Context, what string, action func() error) error {
	for {
		err := action()
		if err == nil {
			return nil
		}
		logrus.Debugf("Failed to %s, trying again: %v", what, err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// onNodeChange calls the handlers for every node there is, and then each time one
// changes, and at no other time: no resync, as in k3s.
func (s *Server) onNodeChange(ctx context.Context, client *kubernetes.Clientset, handlers ...nodeHandler) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	handle := func(object any) {
		node := object.(*corev1.Node)
		for _, handler := range handlers {
			if err := untilDone(ctx, "handle node "+node.Name, func() error { return handler(ctx, client, node) }); err != nil {
				return
			}
		}
	}
	_, err := factory.Core().V1().Nodes().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: handle, UpdateFunc: func(_, object any) { handle(object) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	return nil
}

type nodeHandler func(context.Context, *kubernetes.Clientset, *corev1.Node) error

func (s *Server) labelNode(ctx context.Context, client *kubernetes.Clientset, node *corev1.Node) error {
	if node.Name != s.identity.Name || node.Labels["node-role.kubernetes.io/control-plane"] == "true" {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{"node-role.kubernetes.io/control-plane": "true"}}})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Nodes().Patch(ctx, node.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	return err
}

func tainted(node *corev1.Node) bool {
	for _, taint := range node.Spec.Taints {
		if taint.Key == uninitializedTaint {
			return true
		}
	}
	return false
}

// initialize is k3s's cloud provider in short: provider id k3s://<name>, the
// addresses kubelet was given, and the taint away.
func initialize(ctx context.Context, client *kubernetes.Clientset, changed *corev1.Node) error {
	if !tainted(changed) {
		return nil
	}
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		node, err := client.CoreV1().Nodes().Get(ctx, changed.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		given := node.Annotations["alpha.kubernetes.io/provided-node-ip"]
		if given == "" {
			return errors.New("kubelet has not set its node IP yet")
		}
		addresses := []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: node.Name}}
		for _, ip := range strings.Split(given, ",") {
			addresses = append([]corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: ip}}, addresses...)
		}
		node.Status.Addresses = addresses
		if node, err = client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
			return err
		}
		node.Spec.ProviderID = "k3s://" + node.Name
		node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == uninitializedTaint })
		if _, err = client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{}); err == nil {
			logrus.Infof("Successfully initialized node %s with cloud provider", node.Name)
		}
		return err
	})
}

// writeNodeHosts keeps the key NodeHosts of the coredns ConfigMap, without which
// CoreDNS's pod cannot start: its volume names the key. Where there is no
// ConfigMap yet, the next chance is the next change of a node, as in k3s
// (pkg/node/controller.go): minutes, if the node is as it will stay.
func (s *Server) writeNodeHosts(ctx context.Context, client *kubernetes.Clientset, node *corev1.Node) error {
	if s.options.Disable["coredns"] {
		return nil
	}
	var address string
	for _, each := range node.Status.Addresses {
		if each.Type == corev1.NodeInternalIP {
			address = each.Address
		}
	}
	if address == "" {
		logrus.Errorf("No InternalIP addresses found for node %s", node.Name)
		return nil
	}
	configMap, err := client.CoreV1().ConfigMaps("kube-system").Get(ctx, "coredns", metav1.GetOptions{})
	if err != nil {
		logrus.Warnf("Unable to fetch coredns config map: %v", err)
		return nil
	}
	hosts, isNew := withNode(configMap.Data["NodeHosts"], node.Name, address)
	if !isNew {
		return nil
	}
	if configMap.Data == nil {
		configMap.Data = map[string]string{}
	}
	configMap.Data["NodeHosts"] = hosts
	if _, err := client.CoreV1().ConfigMaps("kube-system").Update(ctx, configMap, metav1.UpdateOptions{}); err != nil {
		return err
	}
	logrus.Infof("Updated coredns NodeHosts entry for %s", node.Name)
	return nil
}

// withNode puts the node into the hosts, in place of what they said of it, and
// says whether that changed them.
func withNode(hosts, name, address string) (string, bool) {
	want := address + " " + name
	var lines []string
	for line := range strings.Lines(hosts) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[1] != name {
			lines = append(lines, strings.Join(fields, " "))
		} else if strings.Join(fields, " ") == want {
			return hosts, false
		}
	}
	lines = append(lines, want)
	sort.Strings(lines)
	return strings.Join(lines, "\n") + "\n", true
}

// waitUntainted returns once a node without the uninitialized taint exists.
func waitUntainted(ctx context.Context, client *kubernetes.Clientset) error {
	for {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err == nil {
			for i := range nodes.Items {
				if !tainted(&nodes.Items[i]) {
					return nil
				}
			}
			watcher, err := client.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{ResourceVersion: nodes.ResourceVersion})
			if err == nil {
				<-watcher.ResultChan()
				watcher.Stop()
				continue
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
