package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// cache is the testbed's cache directory; entries are <thing>-<hash of inputs>.
type cache struct{ dir string }

func openCache() (*cache, error) {
	dir := os.Getenv("K3S_IN_GVISOR_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(base, "k3s-in-gvisor")
	}
	return &cache{dir}, os.MkdirAll(dir, 0o755)
}

// entry returns the path of the entry, which fill makes if it is not there: under
// a lock, at a temporary path, renamed when complete. The lock file stays: to
// remove it would let a third process lock a new one beside the second's.
func (c *cache) entry(name, hash string, fill func(path string) error) (string, error) {
	path := filepath.Join(c.dir, name+"-"+hash)
	lock, err := os.OpenFile(filepath.Join(c.dir, "."+name+"-"+hash+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("failed to lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	temporary := path + ".tmp"
	if err := os.RemoveAll(temporary); err != nil {
		return "", err
	}
	if err := fill(temporary); err != nil {
		os.RemoveAll(temporary)
		return "", fmt.Errorf("failed to build %s: %w", name, err)
	}
	return path, os.Rename(temporary, path)
}

// hashOf names what an entry depends on: words, and files and directories by
// their contents, tests left out.
type hashOf struct {
	words []string
	paths []string
}

func (h hashOf) sum() (string, error) {
	digest := sha256.New()
	for _, word := range h.words {
		fmt.Fprintf(digest, "%d:%s", len(word), word)
	}
	for _, root := range h.paths {
		var files []string
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && !strings.HasSuffix(path, "_test.go") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return "", err
		}
		sort.Strings(files)
		for _, file := range files {
			relative, err := filepath.Rel(root, file)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(digest, "%d:%s", len(relative), relative)
			if err := hashFile(digest, file); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(digest.Sum(nil))[:16], nil
}

func hashFile(digest io.Writer, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(digest, f)
	return err
}

// replaceFile copies a file to its destination, which changes at once.
func replaceFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(target.Name())
	defer target.Close()
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	if err := target.Chmod(0o755); err != nil {
		return err
	}
	return os.Rename(target.Name(), to)
}
