package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
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

// rescan is how often k3s looks through the manifests directory.
const rescan = 15 * time.Second

// notImitated are packaged components of k3s that the stand-in leaves out.
var notImitated = map[string]bool{"traefik": true, "metrics-server": true}

func (s *Server) manifestsDir() string { return filepath.Join(s.files.dir, "manifests") }

// disabled says whether a packaged manifest is switched off.
func (s *Server) disabled(file string) bool {
	switch name := strings.TrimSuffix(file, filepath.Ext(file)); name {
	case "rolebindings":
		return false
	default:
		return s.options.Disable[name]
	}
}

// stageManifests writes the packaged manifests with this cluster's values in
// them, and notes which are to be deleted. `X.yaml.skip` leaves X alone.
func (s *Server) stageManifests() error {
	for name := range notImitated {
		if !s.options.Disable[name] {
			logrus.Warnf("The stand-in does not carry %s: it is skipped", name)
		}
	}
	registry := ""
	if s.options.SystemRegistry != "" {
		registry = s.options.SystemRegistry + "/"
	}
	replace := strings.NewReplacer(
		"%{CLUSTER_DNS}%", s.options.ClusterDNS,
		"%{CLUSTER_DOMAIN}%", s.options.ClusterDomain,
		"%{DEFAULT_LOCAL_STORAGE_PATH}%", s.options.LocalStorage,
		"%{SYSTEM_DEFAULT_REGISTRY}%", registry,
	)
	return fs.WalkDir(packaged, "manifests", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		to := filepath.Join(s.manifestsDir(), entry.Name())
		if _, err := os.Stat(to + ".skip"); err == nil || s.disabled(entry.Name()) {
			return nil
		}
		content, err := packaged.ReadFile(path)
		if err != nil {
			return err
		}
		logrus.Infof("Writing manifest: %s", to)
		return os.WriteFile(to, []byte(replace.Replace(string(content))), 0o600)
	})
}

// deployer applies the files of the manifests directory.
type deployer struct {
	dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
	applied map[string][32]byte
}

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
	d := &deployer{dyn, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco)), map[string][32]byte{}}

	if err := s.deleteDisabled(ctx, d); err != nil {
		return err
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	if err := watcher.Add(s.manifestsDir()); err != nil {
		return fmt.Errorf("failed to watch %s: %w", s.manifestsDir(), err)
	}
	for {
		next := time.After(rescan)
		if complete := d.applyDir(ctx, s.manifestsDir()); !complete {
			// What failed is tried again soon, as k3s's work queue does.
			next = time.After(time.Second)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
		case <-next:
		}
	}
}

// deleteDisabled removes what a disabled packaged manifest made, and its file.
func (s *Server) deleteDisabled(ctx context.Context, d *deployer) error {
	entries, err := packaged.ReadDir("manifests")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !s.disabled(entry.Name()) {
			continue
		}
		content, err := packaged.ReadFile("manifests/" + entry.Name())
		if err != nil {
			return err
		}
		if err := untilDone(ctx, "delete "+entry.Name(), func() error { return d.remove(ctx, content) }); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(s.manifestsDir(), entry.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// applyDir applies new and changed files in name order; false if one failed.
func (d *deployer) applyDir(ctx context.Context, dir string) bool {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		switch filepath.Ext(path) {
		case ".yaml", ".yml", ".json":
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		logrus.Errorf("Failed to process config: failed to read %s: %v", dir, err)
		return false
	}
	sort.Strings(files)
	complete := true
	for _, file := range files {
		if _, err := os.Stat(file + ".skip"); err == nil {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			// Renamed away since; the next scan tells.
			complete = false
			continue
		}
		sum := sha256.Sum256(content)
		if d.applied[file] == sum {
			continue
		}
		if err := d.apply(ctx, content); err != nil {
			logrus.Errorf("Failed to process config: failed to process %s: %v", file, err)
			complete = false
			continue
		}
		logrus.Infof("Applied manifest %s", file)
		d.applied[file] = sum
	}
	return complete
}

func (d *deployer) apply(ctx context.Context, content []byte) error {
	objects, err := decode(content)
	if err != nil {
		return err
	}
	for _, object := range objects {
		resource, err := d.resource(object)
		if err != nil {
			return err
		}
		_, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: "deploy@k3s", Force: true})
		if err != nil {
			return fmt.Errorf("failed to apply %s %s: %w", object.GetKind(), object.GetName(), err)
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
