package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

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
	s.background("manifests", s.deployManifests)
	s.background("node controller", func(ctx context.Context) error { return s.watchNodes(ctx, client) })
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

// watchNodes labels this server's node, writes CoreDNS's NodeHosts, and is the
// node half of k3s's cloud controller manager.
func (s *Server) watchNodes(ctx context.Context, client *kubernetes.Clientset) error {
	factory := informers.NewSharedInformerFactory(client, 10*time.Minute)
	nodes := factory.Core().V1().Nodes()
	configMaps := informers.NewSharedInformerFactoryWithOptions(client, 10*time.Minute, informers.WithNamespace("kube-system"))
	reconcile := make(chan struct{}, 1)
	wake := func(any) {
		select {
		case reconcile <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: wake, UpdateFunc: func(_, o any) { wake(o) }, DeleteFunc: wake}
	for _, informer := range []cache.SharedIndexInformer{nodes.Informer(), configMaps.Core().V1().ConfigMaps().Informer()} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	configMaps.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-reconcile:
		}
		var all []*corev1.Node
		for _, object := range nodes.Informer().GetStore().List() {
			all = append(all, object.(*corev1.Node))
		}
		for _, node := range all {
			if err := s.reconcileNode(ctx, client, node); err != nil {
				logrus.Warnf("Failed to update node %s: %v", node.Name, err)
			}
		}
		if err := writeNodeHosts(ctx, client, all); err != nil {
			logrus.Warnf("Failed to update the coredns ConfigMap: %v", err)
		}
	}
}

func (s *Server) reconcileNode(ctx context.Context, client *kubernetes.Clientset, node *corev1.Node) error {
	if node.Name == s.identity.Name && node.Labels["node-role.kubernetes.io/control-plane"] != "true" {
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{"node-role.kubernetes.io/control-plane": "true"}}})
		if err != nil {
			return err
		}
		if _, err := client.CoreV1().Nodes().Patch(ctx, node.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	if !s.options.DisableCCM && tainted(node) {
		return initialize(ctx, client, node.Name)
	}
	return nil
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
func initialize(ctx context.Context, client *kubernetes.Clientset, name string) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		given := node.Annotations["alpha.kubernetes.io/provided-node-ip"]
		if given == "" {
			return errors.New("kubelet has not set its node IP yet")
		}
		addresses := []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: name}}
		for _, ip := range strings.Split(given, ",") {
			addresses = append([]corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: ip}}, addresses...)
		}
		node.Status.Addresses = addresses
		if node, err = client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
			return err
		}
		node.Spec.ProviderID = "k3s://" + name
		var taints []corev1.Taint
		for _, taint := range node.Spec.Taints {
			if taint.Key != uninitializedTaint {
				taints = append(taints, taint)
			}
		}
		node.Spec.Taints = taints
		if _, err = client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{}); err == nil {
			logrus.Infof("Successfully initialized node %s with cloud provider", name)
		}
		return err
	})
}

// writeNodeHosts keeps the key NodeHosts of the coredns ConfigMap, without which
// CoreDNS's pod cannot start: its volume names the key.
func writeNodeHosts(ctx context.Context, client *kubernetes.Clientset, nodes []*corev1.Node) error {
	var lines []string
	for _, node := range nodes {
		for _, address := range node.Status.Addresses {
			if address.Type == corev1.NodeInternalIP {
				lines = append(lines, address.Address+" "+node.Name)
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	sort.Strings(lines)
	want := strings.Join(lines, "\n") + "\n"
	configMap, err := client.CoreV1().ConfigMaps("kube-system").Get(ctx, "coredns", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	if configMap.Data["NodeHosts"] == want {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"data": map[string]string{"NodeHosts": want}})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().ConfigMaps("kube-system").Patch(ctx, "coredns", types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "k3s-node-controller"})
	if err != nil {
		return fmt.Errorf("failed to write NodeHosts: %w", err)
	}
	logrus.Infof("Updated coredns node hosts entry [%s]", strings.TrimSpace(want))
	return nil
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
