package server

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"k3s-in-gvisor/test/testbed/k3s/internal/process"

	"github.com/sirupsen/logrus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

//go:embed manifests
var packaged embed.FS

// How long k3s takes, as 1.36.2 was seen to, natively and in gVisor alike: its
// clients wait for their own limit of five requests a second.
const (
	// From /readyz to the manifests' being on disk: the Addon CRD is made and waited for first.
	staging = 2 * time.Second
	// From there to the Addon and the node controller's start.
	caches = time.Second
	// To look for what a disabled manifest may have made.
	deletion = 2 * time.Second
	// To look for, make and record one object: 4 to 5 s for coredns.yaml.
	object = 750 * time.Millisecond
	// How often k3s looks through the manifests directory.
	rescan = 15 * time.Second
)

// notImitated are packaged manifests of k3s that the stand-in leaves empty; they
// take their time all the same.
var notImitated = []string{
	"ccm.yaml",
	"metrics-server/aggregated-metrics-reader.yaml", "metrics-server/auth-delegator.yaml", "metrics-server/auth-reader.yaml",
	"metrics-server/metrics-apiservice.yaml", "metrics-server/metrics-server-deployment.yaml",
	"metrics-server/metrics-server-service.yaml", "metrics-server/resource-reader.yaml",
	"traefik.yaml",
}

func (s *Server) manifestsDir() string { return filepath.Join(s.files.dir, "manifests") }

// stageManifests writes the packaged manifests with this cluster's values in
// them, the disabled ones too: k3s 1.36.2 was seen to delete those one by one.
func (s *Server) stageManifests() error {
	registry := ""
	if s.options.SystemRegistry != "" {
		registry = s.options.SystemRegistry + "/"
	}
	replace := strings.NewReplacer(
		"%{CLUSTER_DNS}%", s.options.ClusterDNS,
		"%{CLUSTER_DNS_LIST}%", "["+s.options.ClusterDNS+"]",
		"%{CLUSTER_DNS_IPFAMILYPOLICY}%", "SingleStack",
		"%{CLUSTER_DOMAIN}%", s.options.ClusterDomain,
		"%{DEFAULT_LOCAL_STORAGE_PATH}%", s.options.LocalStorage,
		"%{SYSTEM_DEFAULT_REGISTRY}%", registry,
	)
	stage := func(name, content string) error {
		to := filepath.Join(s.manifestsDir(), name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		logrus.Infof("Writing manifest: %s", to)
		return os.WriteFile(to, []byte(replace.Replace(content)), 0o600)
	}
	for _, name := range notImitated {
		if path := filepath.Join(s.manifestsDir(), name); !isDisabled(s.manifestsDir(), path, s.options.Disables()) {
			logrus.Warnf("The stand-in does not carry %s: it is empty", name)
		}
		if err := stage(name, "# not carried by the stand-in\n"); err != nil {
			return err
		}
	}
	return fs.WalkDir(packaged, "manifests", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := packaged.ReadFile(path)
		if err != nil {
			return err
		}
		return stage(entry.Name(), string(content))
	})
}

// deployer applies the files of the manifests directory.
type deployer struct {
	dynamic  dynamic.Interface
	mapper   *restmapper.DeferredDiscoveryRESTMapper
	disables map[string]bool
	// applied is the time each file had when it was applied.
	applied map[string]time.Time
}

// deployManifests is k3s's Addon controller without the Addons
// (k3s pkg/deploy/controller.go).
func (s *Server) deployManifests(ctx context.Context) error {
	cfg, err := s.restConfig(supervisor)
	if err != nil {
		return err
	}
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return err
	}
	disco, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return err
	}
	d := &deployer{
		dynamic: dyn, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco)),
		disables: s.options.Disables(), applied: map[string]time.Time{},
	}
	for {
		if err := d.pass(ctx, s.manifestsDir()); err != nil {
			logrus.Errorf("Failed to process config: %v", err)
		}
		if err := process.Pause(ctx, rescan); err != nil {
			return nil
		}
	}
}

// manifest is a file of the manifests directory that the Addon controller does
// something about.
type manifest struct {
	path     string
	modified time.Time
	disabled bool
}

// listManifests looks through the directory in the order of the paths. What is
// disabled is to be deleted, and is so before `.skip` is asked: `X.yaml.skip`,
// anywhere below base, makes k3s ignore every X.yaml that is not disabled.
func listManifests(base string, disables map[string]bool) ([]manifest, error) {
	var files []manifest
	skips := map[string]bool{}
	err := filepath.WalkDir(base, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if skipped, isSkip := strings.CutSuffix(entry.Name(), ".skip"); isSkip {
			skips[skipped] = true
			return nil
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		files = append(files, manifest{path, info.ModTime(), isDisabled(base, path, disables)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("failed to read %s: %w", base, err)
	}
	sort.Slice(files, func(a, b int) bool { return files[a].path < files[b].path })
	return slices.DeleteFunc(files, func(file manifest) bool {
		name := filepath.Base(file.path)
		return !file.disabled && (strings.HasPrefix(name, ".") || skips[name] || !isManifest(name))
	}), nil
}

func isManifest(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// isDisabled goes by the file's name without its extension, or by that of a
// directory it is in.
func isDisabled(base, path string, disables map[string]bool) bool {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(path, base), "/"), "/")
	for i := 1; i < len(parts); i++ {
		if disables[filepath.Join(parts[:i]...)] {
			return true
		}
	}
	name := parts[len(parts)-1]
	return isManifest(name) && disables[strings.TrimSuffix(name, filepath.Ext(name))]
}

// pass deletes what is disabled and applies what has changed, one file after the
// other; one that fails is tried again by the next pass.
func (d *deployer) pass(ctx context.Context, dir string) error {
	files, err := listManifests(dir, d.disables)
	if err != nil {
		return err
	}
	var failures []error
	for _, file := range files {
		if file.disabled {
			if err := d.delete(ctx, file.path); err != nil {
				failures = append(failures, fmt.Errorf("failed to delete %s: %w", file.path, err))
			}
			continue
		}
		if d.applied[file.path].Equal(file.modified) {
			continue
		}
		if err := d.deploy(ctx, file.path); err != nil {
			failures = append(failures, fmt.Errorf("failed to process %s: %w", file.path, err))
			continue
		}
		d.applied[file.path] = file.modified
	}
	return errors.Join(failures...)
}

func (d *deployer) deploy(ctx context.Context, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	logrus.Infof("Applying manifest at %q", path)
	if err := d.apply(ctx, content); err != nil {
		return err
	}
	logrus.Infof("Applied manifest at %q", path)
	return nil
}

func (d *deployer) delete(ctx context.Context, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := process.Pause(ctx, deletion); err != nil {
		return err
	}
	if err := d.remove(ctx, content); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	logrus.Infof("Deleting manifest at %q", path)
	return nil
}

func (d *deployer) apply(ctx context.Context, content []byte) error {
	objects, err := decode(content)
	if err != nil {
		return err
	}
	for _, each := range objects {
		if err := process.Pause(ctx, object); err != nil {
			return err
		}
		resource, err := d.resource(each)
		if err != nil {
			return err
		}
		_, err = resource.Apply(ctx, each.GetName(), each, metav1.ApplyOptions{FieldManager: "deploy@k3s", Force: true})
		if err != nil {
			return fmt.Errorf("failed to apply %s %s: %w", each.GetKind(), each.GetName(), err)
		}
	}
	return nil
}

func (d *deployer) remove(ctx context.Context, content []byte) error {
	objects, err := decode(content)
	if err != nil {
		return err
	}
	for _, object := range objects {
		resource, err := d.resource(object)
		if err != nil {
			return err
		}
		background := metav1.DeletePropagationBackground
		err = resource.Delete(ctx, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &background})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func (d *deployer) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := d.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		// A CustomResourceDefinition may have come since discovery.
		d.mapper.Reset()
		mapping, err = d.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return d.dynamic.Resource(mapping.Resource), nil
	}
	namespace := object.GetNamespace()
	if namespace == "" {
		namespace = "default"
	}
	return d.dynamic.Resource(mapping.Resource).Namespace(namespace), nil
}

// decode reads every object of a multi-document file; kind List is opened.
func decode(content []byte) ([]*unstructured.Unstructured, error) {
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, fmt.Errorf("failed to decode: %w", err)
		}
		if len(object.Object) == 0 {
			continue
		}
		if !object.IsList() {
			objects = append(objects, object)
			continue
		}
		err = object.EachListItem(func(item runtime.Object) error {
			objects = append(objects, item.(*unstructured.Unstructured))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
}
