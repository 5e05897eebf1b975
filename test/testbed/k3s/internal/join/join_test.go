package join

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestParseToken(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for _, c := range []struct {
		text string
		want Token
		err  string
	}{
		{"secret", Token{"", "node", "secret"}, ""},
		{"a:b", Token{"", "node", "a:b"}, ""},
		{"K10" + hash + "::node:secret", Token{hash, "node", "secret"}, ""},
		{"K10" + hash + "::server:secret", Token{hash, "node", "secret"}, ""},
		{"K10::node:secret", Token{"", "node", "secret"}, ""},
		{"", Token{}, "token must not be empty"},
		{"K10abc::node:secret", Token{}, "invalid token CA hash length"},
		{"K10" + hash, Token{}, "invalid token format"},
		{"K10" + hash + "::node:", Token{}, "invalid token format"},
	} {
		token, err := ParseToken(c.text)
		if token != c.want {
			t.Errorf("ParseToken(%q) = %+v, want %+v", c.text, token, c.want)
		}
		if message(err) != c.err {
			t.Errorf("ParseToken(%q): %q, want %q", c.text, message(err), c.err)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// startServer answers as a server does, to node:secret alone.
func startServer(t *testing.T) (server *httptest.Server, hash string) {
	t.Helper()
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cacerts" {
			w.Write(ca(server))
			return
		}
		if user, password, _ := r.BasicAuth(); user != "node" || password != "secret" {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		switch r.URL.Path {
		case "/v1-k3s/config":
			io.WriteString(w, `{"ClusterDNS":"10.43.0.10"}`)
		case "/v1-k3s/serving-kubelet.crt":
			content, _ := io.ReadAll(r.Body)
			io.WriteString(w, r.Method+" "+r.Header.Get(NodeNameHeader)+" "+string(content))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	sum := sha256.Sum256(ca(server))
	return server, hex.EncodeToString(sum[:])
}

func ca(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestClient(t *testing.T) {
	server, hash := startServer(t)
	client, err := Dial(server.URL, Token{hash, "node", "secret"})
	if err != nil {
		t.Fatal(err)
	}
	config, err := client.Config()
	if err != nil || config.ClusterDNS != "10.43.0.10" {
		t.Errorf("Config() = %+v, %v", config, err)
	}
	signed, err := client.Sign("serving-kubelet.crt", []byte("request"), map[string]string{NodeNameHeader: "a"})
	if err != nil || string(signed) != "POST a request" {
		t.Errorf("Sign() = %q, %v", signed, err)
	}
	var status *StatusError
	if _, err := client.Get("nothing"); !errors.As(err, &status) || status.Status != http.StatusNotFound {
		t.Errorf("Get(nothing): %v", err)
	}
}

func TestRefusals(t *testing.T) {
	server, hash := startServer(t)
	other := strings.Repeat("0", 64)
	if _, err := Dial(server.URL, Token{other, "node", "secret"}); message(err) != "token CA hash does not match the Cluster CA certificate hash: "+other+" != "+hash {
		t.Errorf("another CA: %v", err)
	}
	if _, err := Dial("http://127.0.0.1:1", Token{}); message(err) != "only https:// URLs are supported, invalid scheme: http://127.0.0.1:1" {
		t.Errorf("no TLS: %v", err)
	}
	client, err := Dial(server.URL, Token{"", "node", "wrong"})
	if err != nil {
		t.Fatal(err)
	}
	var status *StatusError
	if _, err := client.Config(); !errors.As(err, &status) || status.Status != http.StatusUnauthorized {
		t.Errorf("wrong password: %v", err)
	}
	server.Close()
	if _, err := Dial(server.URL, Token{hash, "node", "secret"}); err == nil || !strings.HasPrefix(err.Error(), "failed to get CA certs: ") {
		t.Errorf("nobody there: %v", err)
	}
}
