// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package elastic keeps events in Elasticsearch: store.Appender on elastic/go-elasticsearch. Events go to the data
// streams logs-haidang.{event,flow}-r<class> with `create` and their own id, alerts to the alias haidang-signal under
// the alert's id and an external version.
//
// An id is unique in one index only, and a data stream is a row of indices. So the rule a reader would otherwise break:
// after an answer that leaves open whether documents were taken (a cut connection, a time-out, a 5xx), and after an
// unclean end, no event is created before its id was looked up across all data streams. A bulk that was not settled
// stays in memory, in order, and is tried once more by every call that needs it settled; it is never forgotten, and
// Append takes no more while too many wait.
package elastic

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store"
)

var errClosed = errors.New("store/elastic: it is closed")

// Config says which cluster, and what stays on this machine.
type Config struct {
	URLs               []string // of the nodes; the credentials go to all of them
	Username, Password string
	APIKey             string // as Elasticsearch gives it, in base64; it goes before Username
	CA                 []byte // PEM: the only authorities to trust; none: the system's

	Dir     string                // of the cursor and the dead letters; made if missing, one process at a time
	Classes []int                 // retention classes in days; nil: 30, 90, 180, 365, 730
	Class   func(event.Event) int // days an event must be kept, rounded up to a class; nil: 365

	BulkBytes int           // of one request, exceeded by at most one event; 0: 5 MiB
	BulkItems int           // of one request, at most 10,000; 0: 5,000
	InFlight  int           // requests at a time; memory is (InFlight + 1) * BulkBytes; 0: 2
	Timeout   time.Duration // of one request, after which its outcome is unknown; 0: 90 s
	Wait      time.Duration // before what was answered with 429 is sent again, doubled up to 64 times; 0: 250 ms
	MaxDead   int64         // bytes of the dead letters, above which Append and Sync fail; 0: 1 GiB
}

// Store is an open store. Append, Sync and Close are for one goroutine, the others are safe for concurrent use.
type Store struct {
	cfg    Config
	client *elasticsearch.Client
	http   *http.Transport
	life   context.Context // of the requests: until Close
	end    context.CancelFunc
	bulks  sync.WaitGroup
	dead   *deadLetters

	setting sync.Mutex
	set     bool // the templates are there

	cursor  spool.Cursor // of what was appended
	part    part         // of the record after it
	doubt   uint64       // records up to here may have been sent by a process that did not end cleanly
	filling *bulk
	pending []*bulk // under way or failed, in order
	file    stateFile
	closed  bool

	saved  atomic.Pointer[spool.Cursor]
	counts struct{ stored, known, dead, waited, lookedUp, clamped atomic.Uint64 }
}

// part is how much of a record was taken when Append had to give up.
type part struct {
	at     spool.Position
	events int
}

// Counts counts since Open.
type Counts struct {
	Stored   uint64 // documents that the cluster took
	Known    uint64 // documents that were there already
	Dead     uint64 // documents that the cluster refused for good, kept in deadletters.ndjson
	Waited   uint64 // documents sent again because the cluster could not keep up
	LookedUp uint64 // ids looked up before they were created
	Clamped  uint64 // events whose time was missing or in the future, the claim kept in haidang.time_claimed
}

var _ store.Appender = (*Store)(nil)

// Open opens what is kept on this machine. It does not speak to the cluster, which may be away: the first request does,
// after it has installed the templates.
func Open(cfg Config) (*Store, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: cfg.InFlight + 1, IdleConnTimeout: time.Minute,
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if len(cfg.CA) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(cfg.CA) {
			return nil, errors.New("store/elastic: ca: it holds no PEM certificate")
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	client, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: cfg.URLs, Username: cfg.Username,
		Password: cfg.Password, APIKey: cfg.APIKey, Transport: transport, DisableRetry: true, DisableMetaHeader: true,
		EnableCompatibilityMode: true})
	if err != nil {
		return nil, fmt.Errorf("store/elastic: making a client: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("store/elastic: making its directory: %w", err)
	}
	file, err := readState(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, client: client, http: transport, cursor: file.cursor, doubt: file.sent, file: file,
		filling: &bulk{}}
	if s.dead, err = openDead(cfg.Dir, cfg.MaxDead, file.cursor); err != nil {
		return nil, err
	}
	s.saved.Store(&file.cursor)
	s.life, s.end = context.WithCancel(context.Background())
	return s, nil
}

func (c *Config) complete() error {
	if len(c.URLs) == 0 {
		return errors.New("store/elastic: no address of a node")
	}
	for _, u := range c.URLs {
		if p, err := url.Parse(u); err != nil || p.Host == "" || p.Scheme != "http" && p.Scheme != "https" {
			return fmt.Errorf("store/elastic: %q is no address such as https://es1.tinh.example:9200", u)
		}
	}
	if len(c.Classes) == 0 {
		c.Classes = []int{30, 90, 180, 365, 730}
	}
	c.Classes = slices.Sorted(slices.Values(c.Classes))
	if c.Class == nil {
		c.Class = func(event.Event) int { return 365 }
	}
	c.BulkBytes = positive(c.BulkBytes, 5<<20)
	c.BulkItems = min(positive(c.BulkItems, 5000), maxLookup)
	c.InFlight = positive(c.InFlight, 2)
	c.Timeout = positive(c.Timeout, 90*time.Second)
	c.Wait = positive(c.Wait, 250*time.Millisecond)
	c.MaxDead = positive(c.MaxDead, 1<<30)
	return nil
}

func positive[T int | int64 | time.Duration](n, otherwise T) T {
	if n > 0 {
		return n
	}
	return otherwise
}

// Counts returns the counts so far.
func (s *Store) Counts() Counts {
	n := &s.counts
	return Counts{Stored: n.stored.Load(), Known: n.known.Load(), Dead: n.dead.Load(), Waited: n.waited.Load(),
		LookedUp: n.lookedUp.Load(), Clamped: n.clamped.Load()}
}

// Cursor returns where the last Sync, of this or an earlier process, ended: reading the spool goes on there.
func (s *Store) Cursor() spool.Cursor { return *s.saved.Load() }

// Close syncs, for at most ten seconds, and closes. What was not settled is looked up when the store is opened again.
func (s *Store) Close() error {
	if s.closed {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := s.Sync(ctx)
	s.closed = true
	s.end()
	s.bulks.Wait()
	s.http.CloseIdleConnections()
	return errors.Join(err, s.dead.close())
}
