package main

import (
	"archive/tar"
	"crypto/sha256"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"k3s-in-gvisor/test/testbed/k3s/internal/payload"

	"github.com/klauspost/compress/zstd"
)

// entry is one file of the payload: a copy of a file, or a link.
type entry struct{ from, link string }

// contents lays out the payload as k3s's own is: see k3s-facts.md, "Layout".
func contents(core string, upstream []string, launcher string, host tools, files string) map[string]entry {
	all := map[string]entry{"bin/k3s": {from: core}}
	for _, name := range []string{"k3s-server", "k3s-agent", "kubectl"} {
		all["bin/"+name] = entry{link: "k3s"}
	}
	for _, dir := range upstream {
		all["bin/"+filepath.Base(dir)] = entry{from: dir}
	}
	all["bin/aux/launcher"] = entry{from: launcher}
	for _, name := range []string{"ip", "nsenter"} {
		all["bin/"+name] = entry{link: "aux/launcher"}
	}
	all["bin/aux/mount"] = entry{link: "launcher"}
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, mode := range []string{"legacy", "nft"} {
			for _, verb := range []string{"", "-save", "-restore"} {
				all["bin/aux/"+family+"-"+mode+verb] = entry{link: "launcher"}
			}
		}
		for _, verb := range []string{"", "-save", "-restore"} {
			all["bin/aux/"+family+verb] = entry{link: "iptables-detect.sh"}
		}
	}
	all["bin/aux/xtables-legacy-multi"] = entry{link: "launcher"}
	all["bin/aux/xtables-nft-multi"] = entry{link: "launcher"}
	for name, from := range host {
		all["bin/aux/"+name] = entry{from: from}
	}
	all["bin/aux/iptables-detect.sh"] = entry{from: filepath.Join(files, "iptables-detect.sh")}
	all["bin/check-config"] = entry{from: filepath.Join(files, "check-config")}
	return all
}

// pack writes the outer program and, behind it, the payload and its trailer.
func pack(path, outer string, all map[string]entry) error {
	output, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	defer output.Close()
	program, err := os.Open(outer)
	if err != nil {
		return err
	}
	defer program.Close()
	if _, err := io.Copy(output, program); err != nil {
		return err
	}
	digest := sha256.New()
	counted := &counter{into: io.MultiWriter(output, digest)}
	if err := writeArchive(counted, all); err != nil {
		return err
	}
	if _, err := output.Write(payload.Trailer([32]byte(digest.Sum(nil)), counted.n)); err != nil {
		return err
	}
	return output.Close()
}

type counter struct {
	into io.Writer
	n    int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.into.Write(p)
	c.n += int64(n)
	return n, err
}

func writeArchive(into io.Writer, all map[string]entry) error {
	compressed, err := zstd.NewWriter(into)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	names := map[string]string{}
	for name := range all {
		names[name] = ""
	}
	for _, name := range sortedKeys(names) {
		if err := add(archive, name, all[name]); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

// add writes a file, a link, or a directory of those under the directory of name.
func add(archive *tar.Writer, name string, e entry) error {
	if e.link != "" {
		return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: e.link, Mode: 0o777})
	}
	info, err := os.Stat(e.from)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return addFile(archive, name, e.from, info)
	}
	return filepath.WalkDir(e.from, func(path string, each fs.DirEntry, err error) error {
		if err != nil || each.IsDir() {
			return err
		}
		target := filepath.Join(filepath.Dir(name), each.Name())
		if each.Type()&fs.ModeSymlink != 0 {
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return add(archive, target, entry{link: link})
		}
		return add(archive, target, entry{from: path})
	})
}

func addFile(archive *tar.Writer, name, from string, info fs.FileInfo) error {
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: mode}); err != nil {
		return err
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(archive, f)
	return err
}
