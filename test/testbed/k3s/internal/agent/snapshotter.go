package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// checkSnapshotter refuses what k3s refuses before starting containerd
// (k3s pkg/agent/config/config.go, get).
func (a *Agent) checkSnapshotter() error {
	root := a.path("containerd")
	switch name := a.options.Snapshotter; name {
	case "overlayfs":
		if err := overlaySupported(root); err != nil {
			return fmt.Errorf(`"overlayfs" snapshotter cannot be enabled for %q, try using "fuse-overlayfs" or "native": %w`, root, err)
		}
	case "native":
	default:
		return fmt.Errorf("snapshotter %q is not imitated by the stand-in, only overlayfs and native", name)
	}
	return nil
}

// overlaySupported mounts an overlay over two lower directories below root, as
// containerd's own overlayutils.Supported does.
func overlaySupported(root string) (err error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(root, "overlayfs-check")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, name := range []string{"lower1", "lower2", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := supportsDType(dir); err != nil {
		return err
	}
	inUserNS, err := runningInUserNS()
	if err != nil {
		return err
	}
	options := fmt.Sprintf("lowerdir=%[1]s/lower2:%[1]s/lower1,upperdir=%[1]s/upper,workdir=%[1]s/work", dir)
	if hasUserXattr, err := kernelAtLeast(5, 11); err != nil {
		return err
	} else if inUserNS && hasUserXattr {
		options += ",userxattr"
	}
	merged := filepath.Join(dir, "merged")
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		return fmt.Errorf("failed to mount overlay: %w", err)
	}
	if err := unix.Unmount(merged, 0); err != nil {
		return fmt.Errorf("failed to unmount check directory: %w", err)
	}
	return nil
}

// supportsDType says whether directory entries carry their type, without which
// overlayfs is unusable (xfs with ftype=0).
func supportsDType(dir string) error {
	entries, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer entries.Close()
	buffer := make([]byte, 4096)
	n, err := unix.Getdents(int(entries.Fd()), buffer)
	if err != nil {
		return err
	}
	for at := 0; at < n; {
		// struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name.
		length := int(buffer[at+16]) | int(buffer[at+17])<<8
		if buffer[at+18] == unix.DT_UNKNOWN {
			return fmt.Errorf("%s does not support d_type. If the backing filesystem is xfs, please reformat with ftype=1 to enable d_type support", dir)
		}
		at += length
	}
	return nil
}
