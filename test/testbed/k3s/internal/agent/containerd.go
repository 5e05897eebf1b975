package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k3s-in-gvisor/test/testbed/k3s/internal/cgroups"
	"k3s-in-gvisor/test/testbed/k3s/internal/process"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	containerdState  = "/run/k3s/containerd"
	containerdSocket = "/run/k3s/containerd/containerd.sock"
)

// startContainerd writes the configuration, starts containerd and returns when
// its CRI service answers.
func (a *Agent) startContainerd(ctx context.Context) error {
	if err := a.writeContainerdConfig(); err != nil {
		return err
	}
	root := a.path("containerd")
	if err := os.MkdirAll(root, 0o711); err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(root, "containerd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("failed to open containerd's log: %w", err)
	}
	logrus.Infof("Logging containerd to %s", logFile.Name())
	env, logLevel := containerdEnv(os.Environ())
	args := append([]string{"-c", a.path("etc", "containerd", "config.toml")}, logLevel...)
	logrus.Infof("Running containerd %s", strings.Join(args, " "))
	err = a.group.Start(process.Spec{Name: "containerd", Path: assets("containerd"), Args: args, Env: env, OnParentDeath: syscall.SIGTERM, Output: logFile})
	if err != nil {
		return err
	}
	return waitCRI(ctx, containerdSocket)
}

// containerdEnv gives containerd what stands in k3s's environment as
// CONTAINERD_<name>, proxies above all; CONTAINERD_LOG_LEVEL becomes a flag.
func containerdEnv(own []string) (env, flags []string) {
	for _, pair := range own {
		name, value, _ := strings.Cut(pair, "=")
		if name == "CONTAINERD_LOG_LEVEL" {
			flags = []string{"--log-level", value}
		} else if stripped, ok := strings.CutPrefix(pair, "CONTAINERD_"); ok {
			env = append(env, stripped)
		}
	}
	return env, flags
}

func (a *Agent) writeContainerdConfig() error {
	dir := a.path("etc", "containerd")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	user, err := userTemplate(dir)
	if err != nil {
		return err
	}
	registries, err := readRegistries(a.options.Registries)
	if err != nil {
		return err
	}
	certs := filepath.Join(dir, "certs.d")
	if err := writeHosts(certs, registries, a.options.NoDefaultEndpoint); err != nil {
		return err
	}
	data, err := a.templateData(dir, certs)
	if err != nil {
		return err
	}
	data.RegistryAuths = registries.auths()
	config, err := renderContainerdConfig(user, data)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600)
}

func (a *Agent) templateData(dir, certs string) (templateData, error) {
	found, err := cgroups.Check()
	if err != nil {
		return templateData{}, err
	}
	inUserNS, err := runningInUserNS()
	if err != nil {
		return templateData{}, err
	}
	unprivileged, err := kernelAtLeast(4, 11)
	if err != nil {
		return templateData{}, err
	}
	data := templateData{
		IsRunningInUserNS: inUserNS, EnableUnprivileged: unprivileged,
		NonrootDevices: a.options.NonrootDevices, Program: "k3s",
	}
	writable := unix.Access("/sys/fs/cgroup", unix.W_OK) == nil
	data.DisableCgroup = inUserNS && (!found.Controllers["cpu"] || !found.Controllers["pids"] || !writable)
	if data.DisableCgroup {
		logrus.Warn("cgroup v2 controllers are not delegated for rootless. Disabling cgroup.")
	} else {
		data.SystemdCgroup = !inUserNS && found.Controllers["cpuset"] && os.Getenv("INVOCATION_ID") != ""
	}
	if dropIns != "" {
		data.DropIns = filepath.Join(dir, dropIns)
	}
	node := &data.NodeConfig
	node.SELinux = a.options.SELinux
	node.NoFlannel = a.options.FlannelBackend == "none"
	node.Containerd.Root = a.path("containerd")
	node.Containerd.State = containerdState
	node.Containerd.Address = containerdSocket
	node.Containerd.Opt = a.path("containerd")
	node.Containerd.Registry = certs
	node.AgentConfig.Snapshotter = a.options.Snapshotter
	node.AgentConfig.PauseImage = a.pauseImage()
	node.AgentConfig.NodeName = a.identity.Name
	if !node.NoFlannel {
		node.AgentConfig.CNIBinDir = filepath.Join(a.options.DataDir, "data", "cni")
		node.AgentConfig.CNIConfDir = a.path("etc", "cni", "net.d")
	}
	if runtime := a.options.DefaultRuntime; runtime != "" && runtime != "runc" {
		return data, fmt.Errorf("default runtime %s was not found", runtime)
	} else {
		node.DefaultRuntime = runtime
	}
	return data, nil
}

func (a *Agent) pauseImage() string {
	if a.options.SystemRegistry != "" && !strings.HasPrefix(a.options.PauseImage, a.options.SystemRegistry) {
		return a.options.SystemRegistry + "/" + a.options.PauseImage
	}
	return a.options.PauseImage
}

// kernelAtLeast reads the kernel's release, as k3s does; it is why a gVisor that
// calls itself 4.19 gets settings it cannot serve.
func kernelAtLeast(major, minor int) (bool, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return false, err
	}
	var haveMajor, haveMinor int
	release := unix.ByteSliceToString(name.Release[:])
	if _, err := fmt.Sscanf(release, "%d.%d", &haveMajor, &haveMinor); err != nil {
		return false, fmt.Errorf("failed to parse kernel release %q: %w", release, err)
	}
	return haveMajor > major || haveMajor == major && haveMinor >= minor, nil
}

// runningInUserNS is true unless the uid map is the initial namespace's.
func runningInUserNS() (bool, error) {
	content, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false, err
	}
	return strings.Join(strings.Fields(string(content)), " ") != "0 0 4294967295", nil
}

func dialCRI(socket string) (*grpc.ClientConn, error) {
	return grpc.NewClient("unix://"+strings.TrimPrefix(socket, "unix://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// waitCRI asks once a second, as k3s does, until the CRI service answers.
func waitCRI(ctx context.Context, socket string) error {
	connection, err := dialCRI(socket)
	if err != nil {
		return err
	}
	defer connection.Close()
	client := runtimeapi.NewRuntimeServiceClient(connection)
	for {
		_, err := client.Version(ctx, &runtimeapi.VersionRequest{}, grpc.WaitForReady(false))
		if err == nil {
			logrus.Info("containerd is now running")
			return nil
		}
		logrus.Infof("Waiting for containerd startup: %v", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
		connection.ResetConnectBackoff()
	}
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
