package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// upstreamModule is a module whose programs are built as they are, in its own
// directory of the module cache, with its own go.mod and go.sum.
type upstreamModule struct {
	name, path string
	pin
	cgo           bool
	tags, ldflags string
	// programs maps a file name in bin/ to a package.
	programs map[string]string
}

// bundled are the containerd and the runc of k3s by Kubernetes' minor version, or
// the nearest that the Go proxy has: k3s 1.35.6 brings 2.2.5 and 1.4.2, 1.36.2
// brings 2.3.2 and 1.4.2, 1.37.0 brings 2.3.4.
var bundled = map[string]struct{ containerd, runc pin }{
	"1.35": {containerd22, runc14},
	"1.36": {containerd23, runc14},
	"1.37": {containerd23, runc15},
}

// pin is a module's version and the hash it must have.
type pin struct{ version, sum string }

var (
	containerd22 = pin{"v2.2.8", "h1:8nnNE5FqBmofd3lccku8GbWi6d1TO4rrcB2E/0o+HU0="}
	containerd23 = pin{"v2.3.4", "h1:c2PJo/9UGVdiiw8SwrxuLxWGY+9b3jQ6Xp9zntneIvI="}
	runc14       = pin{"v1.4.2", "h1:/AEjjXuVH9lTRl9ZyUFQj7oWBM7Xv00qFV6Vx9q5N3o="}
	runc15       = pin{"v1.5.2", "h1:eUUowc2WJCnFYzI87C1WqRcu356Dk/wsoi90y+2wEfE="}
)

// modulesOf are the programs a k3s of this Kubernetes version brings.
func modulesOf(version string) ([]upstreamModule, error) {
	minor := version[:strings.LastIndex(version, ".")]
	of, known := bundled[minor]
	if !known {
		return nil, fmt.Errorf("failed to choose containerd and runc for Kubernetes %s: there are %v", version, sortedKeys(bundled))
	}
	return []upstreamModule{
		{
			name: "containerd", path: "github.com/containerd/containerd/v2", pin: of.containerd,
			tags:    "no_btrfs,no_devmapper,no_zfs,netgo,osusergo,static_build",
			ldflags: "-X github.com/containerd/containerd/v2/version.Version=" + of.containerd.version + "-k3s1",
			programs: map[string]string{
				"containerd": "./cmd/containerd", "containerd-shim-runc-v2": "./cmd/containerd-shim-runc-v2", "ctr": "./cmd/ctr",
			},
		},
		{
			name: "runc", path: "github.com/opencontainers/runc", pin: of.runc,
			cgo: true, tags: "seccomp,netgo,osusergo",
			ldflags:  "-linkmode external -extldflags -static -X main.version=" + strings.TrimPrefix(of.runc.version, "v"),
			programs: map[string]string{"runc": "."},
		},
		kine,
	}, nil
}

var kine = upstreamModule{
	name: "kine", path: "github.com/k3s-io/kine", pin: pin{"v0.17.5", "h1:QHFCxnRqLvpstdUE86BAUCPiJjOxxV3mBe6pb/fOeYQ="},
	cgo: true, tags: "netgo,osusergo,sqlite_omit_load_extension",
	ldflags:  "-linkmode external -extldflags -static",
	programs: map[string]string{"kine": "."},
}

// plugins is the module of the CNI plugins, which become one program.
var plugins = upstreamModule{
	name: "cni-plugins", path: "github.com/containernetworking/plugins", pin: pin{"v1.9.1", "h1:8oU6WsIsU3bpnNZuvHp74a6cE1MJwbj2P7s4/yTUNlA="},
	programs: map[string]string{
		"bandwidth": "plugins/meta/bandwidth", "bridge": "plugins/main/bridge", "firewall": "plugins/meta/firewall",
		"host-local": "plugins/ipam/host-local", "loopback": "plugins/main/loopback", "portmap": "plugins/meta/portmap",
	},
}

// upstream builds everything the payload takes from elsewhere, and returns the
// directories that hold it.
func (b *builder) upstream(modules []upstreamModule, compilers string) ([]string, error) {
	var dirs []string
	for _, module := range modules {
		dir, err := b.compile(module, compilers)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	cni, err := b.compilePlugins(compilers)
	return append(dirs, cni), err
}

// fetch returns the module's directory in the module cache, if it is the pinned one.
func fetch(module upstreamModule) (string, error) {
	got, err := download(module.path, module.version)
	if err != nil {
		return "", err
	}
	if got.Sum != module.sum {
		return "", fmt.Errorf("wrong hash of %s@%s: got %s, want %s", module.path, module.version, got.Sum, module.sum)
	}
	return got.Dir, nil
}

func (b *builder) compile(module upstreamModule, compilers string) (string, error) {
	hash, err := hashOf{words: []string{fmt.Sprintf("%+v", module), compilers}}.sum()
	if err != nil {
		return "", err
	}
	return b.cache.entry(module.name, hash, func(path string) error {
		dir, err := fetch(module)
		if err != nil {
			return err
		}
		env := []string{"CGO_ENABLED=0"}
		if module.cgo {
			env = []string{"CGO_ENABLED=1"}
		}
		for program, pkg := range module.programs {
			b.say("compiling %s %s", program, module.version)
			_, err := command(dir, env, "nice", "go", "build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-tags="+module.tags,
				"-ldflags=-s -w "+module.ldflags, "-o", filepath.Join(path, program), pkg)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// pluginMain calls the plugin whose name the program was called by.
const pluginMain = `package main

import (
	"fmt"
	"os"
	"path/filepath"

IMPORTS)

func main() {
	switch name := filepath.Base(os.Args[0]); name {
CASES	default:
		fmt.Fprintf(os.Stderr, "no CNI plugin %s in this program\n", name)
		os.Exit(1)
	}
}
`

// compilePlugins builds the plugins into one program `cni` with a link for each,
// as k3s ships them. Each plugin is a package main, so a copy of the module's
// sources gets those renamed.
func (b *builder) compilePlugins(compilers string) (string, error) {
	hash, err := hashOf{words: []string{fmt.Sprintf("%+v", plugins), compilers, pluginMain}}.sum()
	if err != nil {
		return "", err
	}
	return b.cache.entry(plugins.name, hash, func(path string) error {
		b.say("compiling the CNI plugins %s", plugins.version)
		from, err := fetch(plugins)
		if err != nil {
			return err
		}
		source := path + ".src"
		defer os.RemoveAll(source)
		if err := os.RemoveAll(source); err != nil {
			return err
		}
		if err := os.CopyFS(source, os.DirFS(from)); err != nil {
			return err
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		var imports, cases strings.Builder
		for _, name := range sortedKeys(plugins.programs) {
			dir, identifier := plugins.programs[name], strings.ReplaceAll(name, "-", "")
			if err := renameMain(filepath.Join(source, dir), identifier); err != nil {
				return err
			}
			fmt.Fprintf(&imports, "\t%s %q\n", identifier, plugins.path+"/"+dir)
			fmt.Fprintf(&cases, "\tcase %q:\n\t\t%s.Main()\n", name, identifier)
			if err := os.Symlink("cni", filepath.Join(path, name)); err != nil {
				return err
			}
		}
		program := filepath.Join(source, "cmd")
		if err := os.MkdirAll(program, 0o755); err != nil {
			return err
		}
		main := strings.NewReplacer("IMPORTS", imports.String(), "CASES", cases.String()).Replace(pluginMain)
		if err := os.WriteFile(filepath.Join(program, "main.go"), []byte(main), 0o644); err != nil {
			return err
		}
		_, err = command(source, []string{"CGO_ENABLED=0"}, "nice", "go", "build", "-mod=readonly", "-buildvcs=false", "-trimpath",
			"-ldflags=-s -w -X "+plugins.path+"/pkg/utils/buildversion.BuildVersion="+plugins.version, "-o", filepath.Join(path, "cni"), "./cmd")
		return err
	})
}

func renameMain(dir, name string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		renamed := strings.Replace(string(content), "package main\n", "package "+name+"\n", 1)
		renamed = strings.Replace(renamed, "\nfunc main() {", "\nfunc Main() {", 1)
		// Copies of the module cache's files are read-only as those are, and
		// tests are still package main.
		if err := os.Remove(file); err != nil {
			return err
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		if err := os.WriteFile(file, []byte(renamed), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
