package agent

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/klauspost/compress/zstd"
	"github.com/sirupsen/logrus"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// zstdMemory is k3s's limit for a decoder (pkg/untar): what a window of
// `zstd --long=25` needs.
const zstdMemory = 1 << 25

// imageFile is what agent/images/.cache.json remembers of a file.
type imageFile struct {
	Size    int64     `json:"size"`
	ModTime time.Time `json:"modTime"`
}

// imageDir imports what lies in agent/images.
type imageDir struct {
	dir   string
	known map[string]imageFile
}

// startImages imports what is in agent/images and then watches for more. The
// watch is on agent/, because images/ may not exist yet; its failure is fatal.
func (a *Agent) startImages(ctx context.Context) error {
	images := &imageDir{dir: a.path("images"), known: map[string]imageFile{}}
	if err := images.readCache(); err != nil {
		return err
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("failed to watch %s: %w", a.path(), err)
	}
	if err := watcher.Add(a.path()); err != nil {
		return fmt.Errorf("failed to watch %s: %w", a.path(), err)
	}
	watchImages := func() {
		if err := watcher.Add(images.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			logrus.Errorf("Failed to watch %s: %v", images.dir, err)
		}
	}
	watchImages()
	images.importNew(ctx)
	go func() {
		defer watcher.Close()
		var settled <-chan time.Time
		for {
			select {
			case <-ctx.Done():
				return
			case event := <-watcher.Events:
				if event.Name == images.dir {
					watchImages()
				}
				if strings.HasPrefix(event.Name, images.dir) {
					// A file being copied changes many times: wait for quiet.
					settled = time.After(time.Second)
				}
			case <-settled:
				images.importNew(ctx)
			}
		}
	}()
	return nil
}

func (d *imageDir) cacheFile() string { return filepath.Join(d.dir, ".cache.json") }

// readCache takes over what an earlier start imported, if the user made the file
// (an empty one will do); without it everything is imported at each start.
func (d *imageDir) readCache() error {
	content, err := os.ReadFile(d.cacheFile())
	if errors.Is(err, os.ErrNotExist) || len(content) == 0 {
		return nil
	} else if err != nil {
		return err
	}
	if err := json.Unmarshal(content, &d.known); err != nil {
		return fmt.Errorf("failed to parse %s: %w", d.cacheFile(), err)
	}
	return nil
}

func (d *imageDir) writeCache() {
	if _, err := os.Stat(d.cacheFile()); err != nil {
		return
	}
	content, err := json.Marshal(d.known)
	if err == nil {
		err = os.WriteFile(d.cacheFile(), content, 0o644)
	}
	if err != nil {
		logrus.Errorf("Failed to write %s: %v", d.cacheFile(), err)
	}
}

func (d *imageDir) importNew(ctx context.Context) {
	entries, err := os.ReadDir(d.dir)
	if errors.Is(err, os.ErrNotExist) {
		return
	} else if err != nil {
		logrus.Errorf("Unable to read images in %s: %v", d.dir, err)
		return
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	for _, entry := range entries {
		info, err := os.Stat(filepath.Join(d.dir, entry.Name()))
		if err != nil || info.IsDir() || entry.Name() == ".cache.json" {
			continue
		}
		now := imageFile{info.Size(), info.ModTime()}
		if before, ok := d.known[entry.Name()]; ok && before.Size == now.Size && before.ModTime.Equal(now.ModTime) {
			continue
		}
		start := time.Now()
		path := filepath.Join(d.dir, entry.Name())
		if err := importFile(ctx, path); err != nil {
			logrus.Errorf("Error encountered while importing %s: %v", path, err)
			continue
		}
		logrus.Infof("Imported images from %s in %s", path, time.Since(start))
		d.known[entry.Name()] = now
		d.writeCache()
	}
}

func importFile(ctx context.Context, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	name := strings.ToLower(path)
	switch {
	case strings.HasSuffix(name, ".txt"):
		return pullList(ctx, file)
	case strings.HasSuffix(name, ".tar"):
		return importTar(ctx, file)
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		reader, err := gzip.NewReader(file)
		if err != nil {
			return err
		}
		return importTar(ctx, reader)
	case strings.HasSuffix(name, ".tar.bz2"), strings.HasSuffix(name, ".tbz"):
		return importTar(ctx, bzip2.NewReader(file))
	case strings.HasSuffix(name, ".tar.zst"), strings.HasSuffix(name, ".tzst"):
		reader, err := zstd.NewReader(file, zstd.WithDecoderMaxWindow(zstdMemory))
		if err != nil {
			return err
		}
		defer reader.Close()
		return importTar(ctx, reader)
	default:
		return errors.New("unhandled file type")
	}
}

// importTar hands the archive to the bundled ctr; layers are unpacked when the
// first container needs them, as with k3s.
func importTar(ctx context.Context, archive io.Reader) error {
	cmd := exec.CommandContext(ctx, assets("ctr"), "--address", containerdSocket, "--namespace", "k8s.io",
		"images", "import", "--all-platforms", "--no-unpack", "-")
	cmd.Stdin = archive
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(output.String()))
	}
	return nil
}

// pullList pulls the images a .txt file names, one per line.
func pullList(ctx context.Context, list io.Reader) error {
	connection, err := dialCRI(containerdSocket)
	if err != nil {
		return err
	}
	defer connection.Close()
	client := runtimeapi.NewImageServiceClient(connection)
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		image := &runtimeapi.ImageSpec{Image: strings.TrimSpace(lines.Text())}
		if image.Image == "" {
			continue
		}
		status, err := client.ImageStatus(ctx, &runtimeapi.ImageStatusRequest{Image: image})
		if err == nil && status.Image != nil {
			continue
		}
		logrus.Infof("Pulling image %s", image.Image)
		if _, err := client.PullImage(ctx, &runtimeapi.PullImageRequest{Image: image}); err != nil {
			logrus.Errorf("Failed to pull %s: %v", image.Image, err)
		}
	}
	return lines.Err()
}
