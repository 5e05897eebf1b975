package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// front is k3s's supervisor port: it answers /ping and /cacerts itself and hands
// everything else to the API server on APIServerPort. k3s calls the API server's
// handler in the same process; here it is another process, so a client
// certificate's identity travels as an authenticating proxy's headers
// (kubernetes.io, "Authenticating Proxy"), and bearer tokens pass as they are.
type front struct {
	caFile     string
	withProxy  *httputil.ReverseProxy
	withoutOne *httputil.ReverseProxy
	supervisor http.Handler
}

func (s *Server) listenFront() (net.Listener, error) {
	address := net.JoinHostPort(s.options.BindAddress, strconv.Itoa(s.options.HTTPSPort))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("failed to listen on the supervisor port: %w", err)
	}
	return listener, nil
}

func (s *Server) serveFront(ctx context.Context, listener net.Listener) error {
	serving := s.files.pair("serving-kube-apiserver")
	cert, err := tls.LoadX509KeyPair(serving.Cert, serving.Key)
	if err != nil {
		return err
	}
	clientCAs, err := certPool(s.files.clientCA().Cert)
	if err != nil {
		return err
	}
	handler, err := s.newFront()
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: handler,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{cert},
			ClientAuth:   tls.VerifyClientCertIfGiven,
			ClientCAs:    clientCAs,
			MinVersion:   tls.VersionTLS12,
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the supervisor listener failed: %w", err)
	}
	return nil
}

func (s *Server) newFront() (*front, error) {
	target, err := url.Parse(s.apiserverURL())
	if err != nil {
		return nil, err
	}
	roots, err := certPool(s.files.serverCA().Cert)
	if err != nil {
		return nil, err
	}
	proxyPair := s.files.pair("client-auth-proxy")
	proxyCert, err := tls.LoadX509KeyPair(proxyPair.Cert, proxyPair.Key)
	if err != nil {
		return nil, err
	}
	proxy := func(certs ...tls.Certificate) *httputil.ReverseProxy {
		return &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				r.Out.Host = r.In.Host
			},
			Transport: &http.Transport{
				TLSClientConfig:     &tls.Config{RootCAs: roots, Certificates: certs},
				ForceAttemptHTTP2:   false,
				MaxIdleConnsPerHost: 100,
			},
			// Watches must reach the client event by event.
			FlushInterval: -1,
			ErrorLog:      log.New(io.Discard, "", 0),
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				http.Error(w, fmt.Sprintf("apiserver not ready: %v", err), http.StatusServiceUnavailable)
			},
		}
	}
	return &front{s.files.serverCA().Cert, proxy(proxyCert), proxy(), supervisorAPI{s}}, nil
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/ping":
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "pong")
		return
	case "/cacerts":
		content, err := os.ReadFile(f.caFile)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		w.Write(content)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/v1-k3s/") {
		f.supervisor.ServeHTTP(w, r)
		return
	}
	// Nobody but this proxy may claim an identity.
	for name := range r.Header {
		if strings.HasPrefix(strings.ToLower(name), "x-remote-") {
			r.Header.Del(name)
		}
	}
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		f.withoutOne.ServeHTTP(w, r)
		return
	}
	subject := r.TLS.VerifiedChains[0][0].Subject
	r.Header.Set("X-Remote-User", subject.CommonName)
	for _, group := range subject.Organization {
		r.Header.Add("X-Remote-Group", group)
	}
	f.withProxy.ServeHTTP(w, r)
}

func certPool(file string) (*x509.CertPool, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("failed to read %s: no certificate in it", file)
	}
	return pool, nil
}
