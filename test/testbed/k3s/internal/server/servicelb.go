package server

import (
	"context"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const klipperLB = "rancher/klipper-lb:v0.4.13"

// watchServices makes a DaemonSet for each LoadBalancer Service, as servicelb
// does (k3s pkg/cloudprovider/servicelb.go). Whether its pods can run is up to
// the node: they want NET_ADMIN, the sysctl ip_forward and iptables. The Service's
// status is not imitated.
func (s *Server) watchServices(ctx context.Context, client *kubernetes.Clientset) error {
	factory := informers.NewSharedInformerFactory(client, 10*time.Minute)
	ensure := func(object any) {
		service := object.(*corev1.Service)
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
			return
		}
		_, err := client.AppsV1().DaemonSets("kube-system").Create(ctx, balancer(service), metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			logrus.Warnf("Failed to deploy servicelb for %s/%s: %v", service.Namespace, service.Name, err)
		}
	}
	remove := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		err := client.AppsV1().DaemonSets("kube-system").Delete(ctx, balancerName(object.(*corev1.Service)), metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			logrus.Warnf("Failed to delete servicelb: %v", err)
		}
	}
	_, err := factory.Core().V1().Services().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: ensure, UpdateFunc: func(_, object any) { ensure(object) }, DeleteFunc: remove,
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	return nil
}

func balancerName(service *corev1.Service) string {
	return fmt.Sprintf("svclb-%s-%s", service.Name, string(service.UID)[:8])
}

func balancer(service *corev1.Service) *appsv1.DaemonSet {
	labels := map[string]string{"app": balancerName(service), "svccontroller.k3s.cattle.io/svcname": service.Name, "svccontroller.k3s.cattle.io/svcnamespace": service.Namespace}
	set := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: balancerName(service), Namespace: "kube-system", Labels: labels},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": balancerName(service)}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Tolerations:     []corev1.Toleration{{Key: "node-role.kubernetes.io/control-plane", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}, {Key: "CriticalAddonsOnly", Operator: corev1.TolerationOpExists}},
					SecurityContext: &corev1.PodSecurityContext{Sysctls: []corev1.Sysctl{{Name: "net.ipv4.ip_forward", Value: "1"}}},
				},
			},
		},
	}
	for _, port := range service.Spec.Ports {
		set.Spec.Template.Spec.Containers = append(set.Spec.Template.Spec.Containers, balancerContainer(service, port))
	}
	return set
}

func balancerContainer(service *corev1.Service, port corev1.ServicePort) corev1.Container {
	name := fmt.Sprintf("lb-%s-%d", map[corev1.Protocol]string{corev1.ProtocolTCP: "tcp", corev1.ProtocolUDP: "udp"}[port.Protocol], port.Port)
	value := func(name string, value any) corev1.EnvVar {
		return corev1.EnvVar{Name: name, Value: fmt.Sprint(value)}
	}
	return corev1.Container{
		Name: name, Image: klipperLB, ImagePullPolicy: corev1.PullIfNotPresent,
		Ports: []corev1.ContainerPort{{Name: name, ContainerPort: port.Port, HostPort: port.Port, Protocol: port.Protocol}},
		Env: []corev1.EnvVar{
			value("SRC_PORT", port.Port), value("SRC_RANGES", "0.0.0.0/0"), value("DEST_PROTO", port.Protocol),
			value("DEST_PORT", port.Port), value("DEST_IPS", service.Spec.ClusterIP),
		},
		SecurityContext: &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"NET_ADMIN"}}},
	}
}
