// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// BrokenError names the first entry of the log that does not follow from the one before.
type BrokenError struct {
	N      uint64 // number that the entry should have
	Seq    uint64 // message of the stream it was looked for in
	Reason string
}

// Error says where the chain is broken and why.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("alert: the log is broken at entry %d (message %d of %s): %s", e.N, e.Seq, Stream, e.Reason)
}

// Verify walks the whole stream and checks that every entry follows from the one before. It returns the head that the
// stream really has; a *BrokenError names the first entry that does not fit. What was cut off at the end is noticed
// as far as this process had read; beyond that, compare the head with one kept elsewhere.
func (l *Log) Verify(ctx context.Context) (uint64, Hash, error) {
	codec, err := newCodec()
	if err != nil {
		return 0, Hash{}, err
	}
	known, knownHash := l.Head()
	last, err := l.lastSeq(ctx)
	if err != nil {
		return 0, Hash{}, err
	}
	var h head
	for msg, err := range l.read(ctx, 1, last) {
		if err != nil {
			return h.n, h.hash, err
		}
		entries, err := codec.decode(msg.data)
		if err != nil {
			return h.n, h.hash, &BrokenError{N: h.n + 1, Seq: msg.seq, Reason: err.Error()}
		}
		for _, e := range entries {
			if why := h.follows(e); why != "" {
				return h.n, h.hash, &BrokenError{N: h.n + 1, Seq: msg.seq, Reason: why}
			}
			h = head{n: e.N, hash: e.hash}
			if h.n == known && h.hash != knownHash {
				return h.n, h.hash, &BrokenError{N: h.n, Seq: msg.seq, Reason: "it is not the entry that was read earlier"}
			}
		}
	}
	if h.n < known {
		return h.n, h.hash, &BrokenError{N: h.n + 1, Seq: last, Reason: "it was there earlier and is gone"}
	}
	return h.n, h.hash, nil
}

// Run follows what other servers append until ctx is done, then returns nil. Without other writers nothing depends on
// it. It outlives a restart of the server it reads from.
func (l *Log) Run(ctx context.Context) error {
	var expiring sync.WaitGroup
	defer expiring.Wait()
	expiring.Go(func() {
		for pause(ctx, time.Hour); ctx.Err() == nil; pause(ctx, time.Hour) {
			_, _ = l.proj.Expire(l.cfg.Now()) // its only errors are those of the schema, which Open has tried
		}
	})
	for ctx.Err() == nil {
		l.mu.Lock()
		from := l.seq + 1
		l.mu.Unlock()
		for msg, err := range l.follow(ctx, from) {
			if err != nil {
				break
			}
			l.mu.Lock()
			next := l.seq + 1
			if msg.seq == next {
				l.applyMessage(msg)
			}
			l.mu.Unlock()
			if msg.seq > next {
				break // begin again where the gap is
			}
		}
		pause(ctx, time.Second)
	}
	return nil
}

// Subscribe yields the entries after entry number after, in order, for ever: first those of the past, then each new one
// as it is applied. It ends with an error when the log cannot be read, and with that of ctx when ctx is done. A slow
// reader holds nobody: it reads on from the stream.
func (l *Log) Subscribe(ctx context.Context, after uint64) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		for {
			l.mu.Lock()
			tail, changed := l.tail, l.changed
			n, last, from := l.head.n, l.seq, l.seqOf(after+1)
			l.mu.Unlock()
			switch {
			case after >= n:
				select {
				case <-changed:
				case <-ctx.Done():
					yield(nil, ctx.Err())
					return
				}
			case len(tail) > 0 && tail[0].N <= after+1:
				for _, e := range tail {
					if e.N > after {
						if !yield(e, nil) {
							return
						}
						after = e.N
					}
				}
			default:
				reached, ok := l.replay(ctx, from, last, after, yield)
				if !ok {
					return
				}
				after = max(reached, after)
				if reached < n {
					after = max(after, tailBefore(tail, n)) // unreadable messages are passed over, as in applying
				}
			}
		}
	}
}

// tailBefore returns the number before the first entry of the tail, or n when there is no tail.
func tailBefore(tail []*Entry, n uint64) uint64 {
	if len(tail) > 0 {
		return tail[0].N - 1
	}
	return n
}

// replay yields the entries after the given one from the messages from..last and returns the last number yielded.
func (l *Log) replay(ctx context.Context, from, last, after uint64, yield func(*Entry, error) bool) (uint64, bool) {
	codec, err := newCodec()
	if err != nil {
		yield(nil, err)
		return after, false
	}
	for msg, err := range l.read(ctx, from, last) {
		if err != nil {
			yield(nil, err)
			return after, false
		}
		entries, err := codec.decode(msg.data)
		if err != nil {
			continue // Broken and Verify tell of it
		}
		for _, e := range entries {
			if e.N <= after {
				continue
			}
			if e.State, err = l.proj.find(e.ID()); err != nil {
				yield(nil, err)
				return after, false
			}
			if !yield(e, nil) {
				return after, false
			}
			after = e.N
		}
	}
	return after, true
}

// seqOf returns a message at or before the one that holds entry n.
func (l *Log) seqOf(n uint64) uint64 {
	seq := uint64(1)
	lo, hi := 0, len(l.marks)
	for lo < hi {
		mid := (lo + hi) / 2
		if l.marks[mid].n <= n {
			seq = l.marks[mid].seq
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return seq
}

// message is one message of the stream.
type message struct {
	seq  uint64
	data []byte
	more bool // others were waiting behind it when it was read
}

func (l *Log) lastSeq(ctx context.Context) (uint64, error) {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("alert: asking for the state of %s: %w", Stream, err)
	}
	return info.State.LastSeq, nil
}

// catchUp applies everything the stream holds beyond what is applied.
func (l *Log) catchUp(ctx context.Context, progress func(done, total uint64)) error {
	last, err := l.lastSeq(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	from := l.seq + 1
	l.mu.Unlock()
	for msg, err := range l.read(ctx, from, last) {
		if err != nil {
			return err
		}
		l.mu.Lock()
		if msg.seq > l.seq {
			l.applyMessage(msg)
		}
		l.mu.Unlock()
		if progress != nil && (msg.seq%1024 == 0 || msg.seq == last) {
			progress(msg.seq, last)
		}
	}
	l.mu.Lock()
	l.seq = max(l.seq, last) // messages at the end that are gone
	l.mu.Unlock()
	return nil
}

// applyMessage decodes and applies a message. l.mu is held.
func (l *Log) applyMessage(msg message) {
	entries, err := l.codec.decode(msg.data)
	l.apply(msg.seq, entries, err)
}

// apply folds the entries of message seq in and wakes the subscribers. l.mu is held.
func (l *Log) apply(seq uint64, entries []*Entry, err error) {
	l.seq = seq
	for _, e := range entries {
		if why := l.head.follows(e); why != "" && err == nil {
			err = errors.New(why)
			l.noteBroken(seq, err)
		}
		if e.N > l.head.n { // a break does not turn the numbers back
			if len(l.marks) == 0 || e == entries[0] && e.N >= l.marks[len(l.marks)-1].n+markEvery {
				l.marks = append(l.marks, mark{n: e.N, seq: seq})
			}
			l.head = head{n: e.N, hash: e.hash}
		}
	}
	if err == nil {
		err = l.proj.Apply(entries...)
	} else if len(entries) > 0 {
		_ = l.proj.Apply(entries...) // the break is already noted
	}
	l.noteBroken(seq, err)
	tail := append(append(make([]*Entry, 0, keepTail+len(entries)), l.tail...), entries...)
	if len(tail) > keepTail {
		tail = tail[len(tail)-keepTail:]
	}
	l.tail = tail
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Log) noteBroken(seq uint64, err error) {
	if err != nil && l.broken == nil {
		l.broken = &BrokenError{N: l.head.n + 1, Seq: seq, Reason: err.Error()}
	}
}

// readFew is up to how many messages are asked for one by one.
const readFew = 16

// read yields the messages from..last, passing over those that are gone.
func (l *Log) read(ctx context.Context, from, last uint64) iter.Seq2[message, error] {
	return func(yield func(message, error) bool) {
		if from+readFew > last {
			for seq := from; seq <= last; seq++ {
				msg, err := l.stream.GetMsg(ctx, seq)
				if errors.Is(err, jetstream.ErrMsgNotFound) {
					continue
				}
				if err != nil {
					yield(message{}, fmt.Errorf("alert: reading message %d of %s: %w", seq, Stream, err))
					return
				}
				if !yield(message{seq: seq, data: msg.Data}, nil) {
					return
				}
			}
			return
		}
		for msg, err := range l.follow(ctx, from) {
			if err == nil && msg.seq > last {
				return
			}
			if !yield(msg, err) || err != nil || msg.seq == last || !msg.more {
				return
			}
		}
	}
}

// follow yields the messages from the given one on, for ever.
func (l *Log) follow(ctx context.Context, from uint64) iter.Seq2[message, error] {
	return func(yield func(message, error) bool) {
		fail := func(err error) { yield(message{}, fmt.Errorf("alert: reading %s: %w", Stream, err)) }
		consumer, err := l.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
			OptStartSeq:   from,
		})
		if err != nil {
			fail(err)
			return
		}
		messages, err := consumer.Messages()
		if err != nil {
			fail(err)
			return
		}
		defer messages.Stop()
		for {
			msg, err := messages.Next(jetstream.NextContext(ctx))
			if err != nil {
				fail(err)
				return
			}
			meta, err := msg.Metadata()
			if err != nil {
				fail(err)
				return
			}
			if !yield(message{meta.Sequence.Stream, msg.Data(), meta.NumPending > 0}, nil) {
				return
			}
		}
	}
}

// pause waits, but not longer than ctx lasts.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
