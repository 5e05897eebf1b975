package payload

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// fileWith makes a program that carries bin/k3s and the plugin link bin/bridge.
func fileWith(t *testing.T, program string) string {
	t.Helper()
	var packed bytes.Buffer
	compressed, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(compressed)
	for _, header := range []*tar.Header{
		{Typeflag: tar.TypeReg, Name: "bin/k3s", Size: int64(len(program)), Mode: 0o755},
		{Typeflag: tar.TypeSymlink, Name: "bin/bridge", Linkname: "cni"},
	} {
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			if _, err := archive.Write([]byte(program)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressed.Close(); err != nil {
		t.Fatal(err)
	}
	content := append([]byte("ELF and so on"), packed.Bytes()...)
	content = append(content, Trailer(sha256.Sum256(packed.Bytes()), int64(packed.Len()))...)
	file := filepath.Join(t.TempDir(), "k3s")
	if err := os.WriteFile(file, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func extract(t *testing.T, file, dataDir string) string {
	t.Helper()
	archive, err := Find(file)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := archive.Extract(dataDir, filepath.Join(dataDir, "usual"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func linkTarget(t *testing.T, link string) string {
	t.Helper()
	target, err := os.Readlink(link)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestExtract(t *testing.T) {
	dataDir := t.TempDir()
	own := filepath.Join(dataDir, "data", "cni", "own")
	if err := os.MkdirAll(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, nil, 0o755); err != nil {
		t.Fatal(err)
	}

	first := extract(t, fileWith(t, "one"), dataDir)
	if content, err := os.ReadFile(filepath.Join(first, "bin", "k3s")); err != nil || string(content) != "one" {
		t.Errorf("got %q, %v", content, err)
	}
	second := extract(t, fileWith(t, "two"), dataDir)
	for link, want := range map[string]string{"current": second, "previous": first, "cni/bridge": filepath.Join(second, "bin", "bridge")} {
		if got := linkTarget(t, filepath.Join(dataDir, "data", link)); got != want {
			t.Errorf("%s: got %s, want %s", link, got, want)
		}
	}
	if _, err := os.Stat(own); err != nil {
		t.Errorf("a foreign plugin is gone: %v", err)
	}
}

func TestExtractLeavesWhatIsThere(t *testing.T) {
	dataDir, file := t.TempDir(), fileWith(t, "one")
	program := filepath.Join(extract(t, file, dataDir), "bin", "k3s")
	if err := os.WriteFile(program, []byte("touched"), 0o755); err != nil {
		t.Fatal(err)
	}
	extract(t, file, dataDir)
	if content, err := os.ReadFile(program); err != nil || string(content) != "touched" {
		t.Errorf("got %q, %v: it was unpacked again", content, err)
	}
}

func TestExtractPrefersTheUsualDataDirectory(t *testing.T) {
	usual, other := t.TempDir(), t.TempDir()
	archive, err := Find(fileWith(t, "one"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := archive.Extract(usual, usual)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := archive.Extract(other, usual); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if entries, err := os.ReadDir(other); err != nil || len(entries) != 0 {
		t.Errorf("got %v, %v: want nothing in the data directory that was named", entries, err)
	}
}

func TestFindRefusesAFileWithoutPayload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(file, make([]byte, 100), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(file); err == nil {
		t.Error("want an error")
	}
}
