// Package payload is the archive the k3s file carries behind its own ELF image:
// a zstd-compressed tar, then a trailer that says how long and which it is.
package payload

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

var magic = []byte("k3s-standin-data")

// trailerSize is magic, SHA-256 of the compressed archive, its length.
const trailerSize = 16 + 32 + 8

// Trailer makes the bytes that follow an archive of this hash and length.
func Trailer(sum [32]byte, length int64) []byte {
	trailer := append(bytes.Clone(magic), sum[:]...)
	return binary.LittleEndian.AppendUint64(trailer, uint64(length))
}

// Archive is the payload of one k3s file.
type Archive struct {
	file   string
	Hash   string
	offset int64
	length int64
}

// Find reads the trailer of the file, usually /proc/self/exe.
func Find(file string) (*Archive, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	trailer := make([]byte, trailerSize)
	if _, err := f.ReadAt(trailer, info.Size()-trailerSize); err != nil {
		return nil, fmt.Errorf("failed to read the payload's trailer: %w", err)
	}
	if !bytes.Equal(trailer[:16], magic) {
		return nil, errors.New("this file carries no payload: it was not made by test/testbed/k3s/build")
	}
	length := int64(binary.LittleEndian.Uint64(trailer[48:]))
	return &Archive{file, hex.EncodeToString(trailer[16:48]), info.Size() - trailerSize - length, length}, nil
}

// Dir is where the archive lives below a data directory.
func (a *Archive) Dir(dataDir string) string { return filepath.Join(dataDir, "data", a.Hash) }

// Extract unpacks the archive into <dataDir>/data/<hash> unless bin/k3s is there
// already, or below the usual data directory, which k3s prefers: under the lock
// data/.lock, through a temporary directory, and renews the links data/current,
// data/previous and data/cni/* (k3s cmd/k3s/main.go).
func (a *Archive) Extract(dataDir, usual string) (string, error) {
	if dir := a.Dir(usual); present(dir) {
		return dir, nil
	}
	dir := a.Dir(dataDir)
	if present(dir) {
		return dir, nil
	}
	root := filepath.Join(dataDir, "data")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(root, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("failed to lock %s: %w", lock.Name(), err)
	}
	if present(dir) {
		return dir, nil
	}

	temporary := dir + "-tmp"
	if err := os.RemoveAll(temporary); err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	if err := a.unpack(temporary); err != nil {
		return "", fmt.Errorf("failed to unpack into %s: %w", temporary, err)
	}
	if err := os.Rename(temporary, dir); err != nil {
		return "", err
	}
	if err := linkCurrent(root, dir); err != nil {
		return "", err
	}
	return dir, linkCNI(root, dir)
}

func present(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "bin", "k3s"))
	return err == nil
}

func (a *Archive) unpack(into string) error {
	f, err := os.Open(a.file)
	if err != nil {
		return err
	}
	defer f.Close()
	decoder, err := zstd.NewReader(io.NewSectionReader(f, a.offset, a.length))
	if err != nil {
		return err
	}
	defer decoder.Close()
	archive := tar.NewReader(decoder)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := writeEntry(filepath.Join(into, filepath.Clean("/"+header.Name)), header, archive); err != nil {
			return err
		}
	}
}

func writeEntry(path string, header *tar.Header, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeSymlink:
		return os.Symlink(header.Linkname, path)
	case tar.TypeReg:
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, header.FileInfo().Mode())
		if err != nil {
			return err
		}
		if _, err := io.Copy(f, content); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	default:
		return fmt.Errorf("unexpected entry %s of type %c", header.Name, header.Typeflag)
	}
}

func linkCurrent(root, dir string) error {
	current := filepath.Join(root, "current")
	if _, err := os.Lstat(current); err == nil {
		if err := os.Rename(current, filepath.Join(root, "previous")); err != nil {
			return err
		}
	}
	return os.Symlink(dir, current)
}

// linkCNI keeps data/cni, the directory whose path does not change with the
// version: links to our plugins, while foreign files there are left alone.
func linkCNI(root, dir string) error {
	stable := filepath.Join(root, "cni")
	if err := os.MkdirAll(stable, 0o755); err != nil {
		return err
	}
	bin := filepath.Join(dir, "bin")
	entries, err := os.ReadDir(bin)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(bin, entry.Name())
		target, err := os.Readlink(path)
		if err != nil || target != "cni" {
			continue
		}
		link := filepath.Join(stable, entry.Name())
		if info, err := os.Lstat(link); err == nil {
			if info.Mode()&os.ModeSymlink == 0 {
				continue
			}
			if err := os.Remove(link); err != nil {
				return err
			}
		}
		if err := os.Symlink(path, link); err != nil {
			return err
		}
	}
	return nil
}
