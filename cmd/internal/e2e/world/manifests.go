//go:build e2e

package world

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// ArgoManifests is every result of the repo-server for an Application, each a
// list of objects as JSON: what argocd app manifests prints, which asks the same
// server. The repo-server keeps them in redis.
func (w *World) ArgoManifests(application string) ([][]string, error) {
	connection, err := net.Dial("tcp", w.redis)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	client := redis{connection, bufio.NewReader(connection)}
	keys, err := client.ask("KEYS", "mfst|*|"+application+"|*")
	if err != nil {
		return nil, err
	}
	var all [][]string
	for _, key := range keys {
		packed, err := client.ask("GET", key)
		if err != nil {
			return nil, err
		}
		unpacked, err := gzip.NewReader(bytes.NewReader([]byte(packed[0])))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		var cached struct {
			ManifestResponse struct{ Manifests []string }
		}
		if err := json.NewDecoder(unpacked).Decode(&cached); err != nil {
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		all = append(all, cached.ManifestResponse.Manifests)
	}
	return all, nil
}

// redis speaks the few words of its protocol that are needed
// (https://redis.io/docs/latest/develop/reference/protocol-spec/).
type redis struct {
	io.Writer
	answers *bufio.Reader
}

// ask sends a command and gives the texts of its answer.
func (r redis) ask(words ...string) ([]string, error) {
	fmt.Fprintf(r, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(r, "$%d\r\n%s\r\n", len(word), word)
	}
	return r.answer()
}

func (r redis) answer() ([]string, error) {
	line, err := r.answers.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSpace(line)
	n, err := strconv.Atoi(line[1:])
	if err != nil || line[0] != '*' && line[0] != '$' || n < 0 {
		return nil, fmt.Errorf("redis says %s", line)
	}
	if line[0] == '$' {
		text := make([]byte, n+2)
		_, err := io.ReadFull(r.answers, text)
		return []string{string(text[:n])}, err
	}
	var all []string
	for range n {
		one, err := r.answer()
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
	}
	return all, nil
}
