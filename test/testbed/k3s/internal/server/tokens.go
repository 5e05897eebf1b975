package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeTokens keeps server/token, and node-token and agent-token beside it
// (k3s pkg/server/server.go, printTokens). The password is --token, else the
// one kept from the last start, else a new one.
func (s *Server) writeTokens() error {
	file := filepath.Join(s.files.dir, "token")
	password := passwordOf(s.options.Token)
	if password == "" {
		kept, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		password = passwordOf(strings.TrimSpace(string(kept)))
	}
	if password == "" {
		random := make([]byte, 16)
		if _, err := rand.Read(random); err != nil {
			return err
		}
		password = hex.EncodeToString(random)
	}
	hash, err := s.caHash()
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(fmt.Sprintf("K10%s::server:%s\n", hash, password)), 0o600); err != nil {
		return err
	}
	if err := relink(filepath.Join(s.files.dir, "node-token"), file); err != nil {
		return err
	}
	agentFile := filepath.Join(s.files.dir, "agent-token")
	if s.options.AgentToken == "" {
		return relink(agentFile, file)
	}
	if err := os.RemoveAll(agentFile); err != nil {
		return err
	}
	return os.WriteFile(agentFile, []byte(fmt.Sprintf("K10%s::node:%s\n", hash, passwordOf(s.options.AgentToken))), 0o600)
}

// passwordOf takes the password out of K10<hash>::<user>:<password> or
// <user>:<password>; a bare password is itself.
func passwordOf(token string) string {
	if rest, isFull := strings.CutPrefix(token, "K10"); isFull {
		if _, credentials, found := strings.Cut(rest, "::"); found {
			token = credentials
		}
	}
	if _, password, found := strings.Cut(token, ":"); found {
		return password
	}
	return token
}

func relink(link, target string) error {
	if err := os.RemoveAll(link); err != nil {
		return err
	}
	return os.Symlink(target, link)
}
