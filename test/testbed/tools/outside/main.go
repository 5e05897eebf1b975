// Command outside is the world beyond a sandbox: a DNS server (every name under "test." is this
// host, no other name exists), a web server, a UDP echo server and an image registry, all on one
// address. It prints "ready" once all of them listen.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/miekg/dns"
)

const zone = "test."

func main() {
	address := flag.String("address", "", "address to listen on")
	flag.Parse()
	if err := run(net.ParseIP(*address), flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// run serves until a server fails. The archives are images for the registry, as `docker save`
// writes them.
func run(address net.IP, archives []string) error {
	if address.To4() == nil {
		return fmt.Errorf("Failed to start: -address must be an IPv4 address")
	}
	failed := make(chan error)
	at := func(port int) string { return net.JoinHostPort(address.String(), strconv.Itoa(port)) }

	packets, err := net.ListenPacket("udp", at(53))
	if err != nil {
		return fmt.Errorf("Failed to serve DNS: %w", err)
	}
	streams, err := net.Listen("tcp", at(53))
	if err != nil {
		return fmt.Errorf("Failed to serve DNS: %w", err)
	}
	handler := answerWith(address)
	go func() { failed <- dns.ActivateAndServe(nil, packets, handler) }()
	go func() { failed <- dns.ActivateAndServe(streams, nil, handler) }()

	echo, err := net.ListenPacket("udp", at(7))
	if err != nil {
		return fmt.Errorf("Failed to serve echo: %w", err)
	}
	go func() { failed <- serveEcho(echo) }()

	web, err := net.Listen("tcp", at(80))
	if err != nil {
		return fmt.Errorf("Failed to serve HTTP: %w", err)
	}
	go func() { failed <- http.Serve(web, webHandler()) }()

	images, err := net.Listen("tcp", at(5000))
	if err != nil {
		return fmt.Errorf("Failed to serve images: %w", err)
	}
	go func() { failed <- http.Serve(images, registry.New()) }()
	for _, archive := range archives {
		if err := push(archive, at(5000)); err != nil {
			return fmt.Errorf("Failed to push %s: %w", archive, err)
		}
	}

	fmt.Println("ready")
	return <-failed
}

func answerWith(address net.IP) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		reply := new(dns.Msg).SetReply(query)
		question := query.Question[0]
		log.Printf("dns %s %s %s", w.RemoteAddr(), dns.TypeToString[question.Qtype], question.Name)
		switch {
		case !dns.IsSubDomain(zone, strings.ToLower(question.Name)):
			reply.Rcode = dns.RcodeNameError
		case question.Qtype == dns.TypeA:
			header := dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}
			reply.Answer = append(reply.Answer, &dns.A{Hdr: header, A: address})
		}
		if err := w.WriteMsg(reply); err != nil {
			log.Printf("Failed to answer %s: %v", w.RemoteAddr(), err)
		}
	})
}

func serveEcho(conn net.PacketConn) error {
	buffer := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if _, err := conn.WriteTo(buffer[:n], from); err != nil {
			log.Printf("Failed to echo to %s: %v", from, err)
		}
	}
}

// webHandler serves what the request looked like from here, and /bytes/N: N zero bytes.
func webHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		seen := map[string]any{
			"method": r.Method, "host": r.Host, "path": r.URL.Path, "remote": r.RemoteAddr, "headers": r.Header,
		}
		if err := json.NewEncoder(w).Encode(seen); err != nil {
			log.Printf("Failed to answer %s: %v", r.RemoteAddr, err)
		}
	})
	mux.HandleFunc("/bytes/{count}", func(w http.ResponseWriter, r *http.Request) {
		count, err := strconv.ParseInt(r.PathValue("count"), 10, 64)
		if err != nil || count < 0 {
			http.Error(w, "count must be a number, 0 or more", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Length", strconv.FormatInt(count, 10))
		if _, err := io.CopyN(w, zeros{}, count); err != nil {
			log.Printf("Failed to send %d bytes to %s: %v", count, r.RemoteAddr, err)
		}
	})
	return mux
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// push puts the images of an archive into the registry under their own path: example.org/a/b:1
// becomes host/a/b:1.
func push(archive, host string) error {
	open := func() (io.ReadCloser, error) { return os.Open(archive) }
	manifest, err := tarball.LoadManifest(open)
	if err != nil {
		return err
	}
	for _, descriptor := range manifest {
		for _, repoTag := range descriptor.RepoTags {
			tag, err := name.NewTag(repoTag)
			if err != nil {
				return err
			}
			image, err := tarball.Image(open, &tag)
			if err != nil {
				return err
			}
			target, err := name.NewTag(host+"/"+tag.RepositoryStr()+":"+tag.TagStr(), name.Insecure)
			if err != nil {
				return err
			}
			if err := remote.Write(target, image); err != nil {
				return err
			}
		}
	}
	return nil
}
