// Package join is an agent's way into a cluster: the token, the CA it pins, and
// what is asked of the server's supervisor port (k3s pkg/clientaccess,
// pkg/agent/config).
package join

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Headers by which an agent says who it is.
const (
	NodeNameHeader     = "k3s-Node-Name"
	NodePasswordHeader = "k3s-Node-Password"
	NodeIPHeader       = "k3s-Node-IP"
)

// Config is what the server decides for its agents.
type Config struct {
	ClusterCIDR    string
	ServiceCIDR    string
	ClusterDNS     string
	ClusterDomain  string
	FlannelBackend string
	EgressMode     string
	DisableCCM     bool
	DisableProxy   bool
	DisableNetpol  bool
}

// Token is what --token was given.
type Token struct {
	// CAHash is empty where the token pins no CA.
	CAHash   string
	User     string
	Password string
}

// agentUser is who an agent is, whatever its token says.
const agentUser = "node"

// ParseToken reads K10<hash>::<user>:<password> or a password.
func ParseToken(text string) (Token, error) {
	if text == "" {
		return Token{}, errors.New("token must not be empty")
	}
	rest, isFull := strings.CutPrefix(text, "K10")
	if !isFull {
		return Token{User: agentUser, Password: text}, nil
	}
	hash, credentials, isPinned := strings.Cut(rest, "::")
	if !isPinned {
		hash, credentials = "", rest
	}
	if hash != "" && len(hash) != hex.EncodedLen(sha256.Size) {
		return Token{}, errors.New("invalid token CA hash length")
	}
	_, password, found := strings.Cut(credentials, ":")
	if !found || password == "" {
		return Token{}, errors.New("invalid token format")
	}
	return Token{CAHash: hash, User: agentUser, Password: password}, nil
}

// Client asks one server.
type Client struct {
	base  *url.URL
	token Token
	http  *http.Client
	// CA is the server's, as PEM.
	CA []byte
}

// StatusError is an answer that is not 200.
type StatusError struct {
	URL    string
	Status int
	Body   string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: %d %s: %s", e.URL, e.Status, http.StatusText(e.Status), strings.TrimSpace(e.Body))
}

const timeout = 10 * time.Second

// Dial fetches the server's CA and compares it with the token's.
func Dial(server string, token Token) (*Client, error) {
	base, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	if base.Scheme != "https" {
		return nil, fmt.Errorf("only https:// URLs are supported, invalid scheme: %s", server)
	}
	// Whoever answers is believed only for its CA's hash.
	anybody := client(&tls.Config{InsecureSkipVerify: true})
	ca, err := get(anybody, http.MethodGet, base.JoinPath("cacerts").String(), Token{}, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("failed to get CA certs: %w", err)
	}
	if token.CAHash != "" {
		sum := sha256.Sum256(ca)
		if hash := hex.EncodeToString(sum[:]); hash != token.CAHash {
			return nil, fmt.Errorf("token CA hash does not match the Cluster CA certificate hash: %s != %s", token.CAHash, hash)
		}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("the server's CA certs are no certificates")
	}
	return &Client{base, token, client(&tls.Config{RootCAs: roots}), ca}, nil
}

func client(config *tls.Config) *http.Client {
	return &http.Client{Timeout: timeout, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
}

// Get asks for a path below /v1-k3s/.
func (c *Client) Get(path string) ([]byte, error) {
	return get(c.http, http.MethodGet, c.url(path), c.token, nil, nil)
}

// Sign sends a certificate request to a path below /v1-k3s/.
func (c *Client) Sign(path string, request []byte, headers map[string]string) ([]byte, error) {
	return get(c.http, http.MethodPost, c.url(path), c.token, headers, request)
}

// Config asks what the server has decided.
func (c *Client) Config() (Config, error) {
	var config Config
	body, err := c.Get("config")
	if err == nil {
		err = json.Unmarshal(body, &config)
	}
	return config, err
}

func (c *Client) url(path string) string { return c.base.JoinPath("v1-k3s", path).String() }

func get(client *http.Client, method, address string, token Token, headers map[string]string, body []byte) ([]byte, error) {
	request, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if token.Password != "" {
		request.SetBasicAuth(token.User, token.Password)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, &StatusError{address, response.StatusCode, string(content)}
	}
	return content, nil
}
