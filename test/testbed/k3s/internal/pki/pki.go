// Package pki makes the certificates k3s keeps in server/tls and agent/.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	leafLifetime = 365 * 24 * time.Hour
)

// Pair is a certificate and its key, by file.
type Pair struct{ Cert, Key string }

// In names the pair <dir>/<name>.crt and .key.
func In(dir, name string) Pair {
	return Pair{filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")}
}

func (p Pair) exists() bool {
	_, certErr := os.Stat(p.Cert)
	_, keyErr := os.Stat(p.Key)
	return certErr == nil && keyErr == nil
}

// EnsureCA makes a self-signed CA unless it is there.
func EnsureCA(p Pair, name string) error {
	if p.exists() {
		return nil
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: fmt.Sprintf("%s@%d", name, time.Now().Unix())},
		NotAfter:              time.Now().Add(caLifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	key, err := newKey()
	if err != nil {
		return err
	}
	return write(p, template, template, key, key)
}

// Subject says who a certificate is for. One with SANs is a server's too.
type Subject struct {
	Name   string
	Groups []string
	SANs   []string
}

// Issue makes a certificate of the CA, anew each time: SANs and node addresses
// may have changed since the last start.
func Issue(p, ca Pair, subject Subject) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	certificate, err := signLeaf(key.Public(), ca, subject)
	if err != nil {
		return fmt.Errorf("failed to sign %s: %w", p.Cert, err)
	}
	if err := writeKey(p.Key, key); err != nil {
		return err
	}
	return os.WriteFile(p.Cert, certificate, 0o644)
}

func signLeaf(key crypto.PublicKey, ca Pair, subject Subject) ([]byte, error) {
	caCert, caKey, err := load(ca)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: subject.Name, Organization: subject.Groups},
		NotAfter:    time.Now().Add(leafLifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(subject.SANs) > 0 {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	for _, san := range subject.SANs {
		if ip := net.ParseIP(san); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, san)
		}
	}
	return sign(template, caCert, key, caKey)
}

// EnsureKey makes a private key unless it is there.
func EnsureKey(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	key, err := newKey()
	if err != nil {
		return err
	}
	return writeKey(path, key)
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func write(p Pair, template, issuer *x509.Certificate, key *ecdsa.PrivateKey, issuerKey crypto.Signer) error {
	certificate, err := sign(template, issuer, key.Public(), issuerKey)
	if err != nil {
		return fmt.Errorf("failed to sign %s: %w", p.Cert, err)
	}
	if err := writeKey(p.Key, key); err != nil {
		return err
	}
	return os.WriteFile(p.Cert, certificate, 0o644)
}

func sign(template, issuer *x509.Certificate, key crypto.PublicKey, issuerKey crypto.Signer) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	// Another machine's clock may be a little behind.
	template.NotBefore = time.Now().Add(-time.Minute)
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key, issuerKey)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

func load(p Pair) (*x509.Certificate, crypto.Signer, error) {
	certPEM, err := os.ReadFile(p.Cert)
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(certPEM)
	if block == nil {
		return nil, nil, fmt.Errorf("failed to read %s: no PEM block", p.Cert)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("failed to read %s: %w", p.Cert, err)
	}
	key, err := loadKey(p.Key)
	if err != nil {
		return nil, nil, err
	}
	return cert, key, nil
}

func loadKey(path string) (*ecdsa.PrivateKey, error) {
	keyPEM, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, fmt.Errorf("failed to read %s: no PEM block", path)
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("failed to read %s: %w", path, err)
	}
	return key, nil
}

// Kubeconfig writes a kubeconfig that names the certificate files, mode 0600.
func Kubeconfig(path, server, caFile string, client Pair) error {
	content := strings.NewReplacer("SERVER", server, "CA", caFile, "CERT", client.Cert, "KEY", client.Key).Replace(`apiVersion: v1
kind: Config
clusters:
- name: local
  cluster:
    server: SERVER
    certificate-authority: CA
contexts:
- name: Default
  context:
    cluster: local
    namespace: default
    user: user
current-context: Default
users:
- name: user
  user:
    client-certificate: CERT
    client-key: KEY
`)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o600)
}

// Request makes a certificate request with the pair's key, which is made unless
// it is there.
func Request(p Pair) ([]byte, error) {
	if err := EnsureKey(p.Key); err != nil {
		return nil, err
	}
	key, err := loadKey(p.Key)
	if err != nil {
		return nil, err
	}
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
}

// Sign makes a certificate of the CA for the request's key; of the request
// nothing else counts.
func Sign(request []byte, ca Pair, subject Subject) ([]byte, error) {
	csr, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return nil, err
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, err
	}
	return signLeaf(csr.PublicKey, ca, subject)
}
