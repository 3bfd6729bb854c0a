// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a real Elasticsearch.
type server struct{ url string }

// startServer starts one in a directory that goes with the test. Without Maven and Java the test is skipped; where
// every peer is to be installed, it fails.
func startServer(t *testing.T) *server {
	t.Helper()
	script, err := filepath.Abs("../../../.ci/elasticsearch/start.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, need := range []string{"bash", "mvn", "java", "javac", "flock"} {
		if _, err := exec.LookPath(need); err != nil {
			missing(t, "there is no "+need)
		}
	}
	cmd := exec.Command("bash", script, t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		for sc := bufio.NewScanner(out); sc.Scan(); {
			if f := strings.Fields(sc.Text()); len(f) == 3 && f[0] == "ready" {
				ready <- f[1]
			}
		}
		ended <- cmd.Wait()
	}()
	stop := func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}
	select {
	case url := <-ready:
		t.Cleanup(stop)
		return &server{url}
	case err := <-ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			missing(t, fmt.Sprintf("no Elasticsearch could be made: %v: %.2000s", err, log.String()))
		}
		t.Fatal(err)
	case <-time.After(10 * time.Minute):
		stop()
		t.Fatal("Elasticsearch did not start in ten minutes")
	}
	return nil
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" && os.Getenv("PEERS") == "install" {
		t.Fatalf("%s, although PEERS=install was to see to it", what)
	}
	t.Skipf("%s: apt-get install maven openjdk-17-jdk-headless, with Maven Central in reach", what)
}

// ask sends one request and returns the answer, which must be one of success.
func (s *server) ask(t *testing.T, method, path string, body any) (answer map[string]any) {
	t.Helper()
	var r io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %.500s %v", method, path, res.Status, data, err)
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

// count is how many documents an index, stream or alias holds.
func (s *server) count(t *testing.T, index string) int {
	t.Helper()
	s.ask(t, "POST", "/"+index+"/_refresh", nil)
	return int(s.ask(t, "GET", "/"+index+"/_count", nil)["count"].(float64))
}

// documents returns every document of an index, stream or alias, how often by id, and one source of each.
func (s *server) documents(t *testing.T, index string) (ids map[string]int, sources map[string]map[string]any) {
	t.Helper()
	s.ask(t, "POST", "/"+index+"/_refresh", nil)
	ids, sources = map[string]int{}, map[string]map[string]any{}
	pit := s.ask(t, "POST", "/"+index+"/_pit?keep_alive=1m", nil)["id"]
	var after any
	for {
		q := object{"size": 5000, "pit": object{"id": pit, "keep_alive": "1m"}, "sort": []string{"_shard_doc"}}
		if after != nil {
			q["search_after"] = after
		}
		hits := s.ask(t, "POST", "/_search", q)["hits"].(map[string]any)["hits"].([]any)
		if len(hits) == 0 {
			return ids, sources
		}
		for _, h := range hits {
			h := h.(map[string]any)
			id := h["_id"].(string)
			ids[id]++
			sources[id] = h["_source"].(map[string]any)
			after = h["sort"]
		}
	}
}
