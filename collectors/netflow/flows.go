// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/haidang-soc/haidang/collectors/netflow/flow"
	"github.com/haidang-soc/haidang/internal/event"
)

// Datagram is one export datagram read from a file.
type Datagram struct {
	From    netip.Addr
	At      time.Time // when it was captured; the file's time for a .bin
	Payload []byte    // valid until the next one is read
}

// Datagrams calls each for every export datagram of a pcap or pcapng file, or of a folder of .bin files (one UDP
// payload each, in name order, all of one exporter). An error of each ends it.
func Datagrams(path string, each func(Datagram) error) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("netflow: reading export datagrams: %w", err)
	}
	if info.IsDir() {
		return folder(path, each)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("netflow: reading export datagrams: %w", err)
	}
	defer f.Close()
	return capture(path, f, each)
}

func folder(dir string, each func(Datagram) error) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.bin"))
	if err != nil || len(names) == 0 {
		return fmt.Errorf("netflow: %s: no .bin file in it", dir)
	}
	slices.Sort(names)
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		if info.Size() > 65535 {
			return fmt.Errorf("netflow: %s: %d bytes do not fit a UDP datagram", name, info.Size())
		}
		p, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := each(Datagram{netip.AddrFrom4([4]byte{127, 0, 0, 1}), info.ModTime(), p}); err != nil {
			return err
		}
	}
	return nil
}

// packetSource is what both capture formats are read with.
type packetSource interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
	LinkType() layers.LinkType
}

func openCapture(r io.ReadSeeker) (packetSource, error) {
	if p, err := pcapgo.NewReader(r); err == nil {
		return p, nil
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return pcapgo.NewNgReader(r, pcapgo.DefaultNgReaderOptions)
}

func capture(path string, r io.ReadSeeker, each func(Datagram) error) error {
	src, err := openCapture(r)
	if err != nil {
		return fmt.Errorf("netflow: %s: neither pcap nor pcapng: %w", path, err)
	}
	for {
		p, info, err := src.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("netflow: %s: reading a packet: %w", path, err)
		}
		from, payload, ok := udp(p, src.LinkType())
		if !ok {
			continue
		}
		if err := each(Datagram{from, info.Timestamp, payload}); err != nil {
			return err
		}
	}
}

// udp finds the UDP payload of a captured packet. The library's layers are hostile-input code of others: a panic in
// them makes the packet one that is not ours.
func udp(p []byte, link layers.LinkType) (from netip.Addr, payload []byte, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	packet := gopacket.NewPacket(p, link, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	u, isUDP := packet.Layer(layers.LayerTypeUDP).(*layers.UDP)
	n := packet.NetworkLayer()
	if !isUDP || n == nil || len(u.Payload) == 0 {
		return from, nil, false
	}
	from, ok = netip.AddrFromSlice(n.NetworkFlow().Src().Raw())
	return from.Unmap(), u.Payload, ok
}

// Reading says how Batches reads a file.
type Reading struct {
	Source  string                   // of the batches
	Problem func(error)              // told of what cannot be decoded, and of losses by sequence number
	Finish  func(b *event.Builder)   // completes each event before it is ended; nil leaves it
	Each    func(*event.Batch) error // called for every datagram that holds flows; an error ends the reading
}

// Batches reads export datagrams (see Datagrams) into batches of flows, one for each datagram.
func Batches(path string, r Reading) error {
	d := flow.NewDecoder(func(l flow.Loss) { r.Problem(lossError(l)) })
	b := event.NewBuilder(r.Source, 0)
	unit := uint64(0)
	err := Datagrams(path, func(g Datagram) error {
		b.Reset(r.Source, 0)
		index := 0
		received := g.At.UnixNano()
		err := d.Decode(g.From, g.Payload, received, func(f *flow.Flow) {
			if index <= maxIndex {
				b.Begin(unit, uint16(index))
				put(b, f, received)
				if r.Finish != nil {
					r.Finish(b)
				}
				b.End()
			}
			index++
		})
		if err == nil && index > maxIndex+1 {
			err = fmt.Errorf("netflow: exporter %s: %d flows in one datagram: the rest is dropped", g.From, maxIndex+1)
		}
		if err != nil {
			r.Problem(err)
		}
		unit++
		if b.Len() == 0 {
			return nil
		}
		return r.Each(b.Batch(unit-1, unit))
	})
	d.Tick(1<<63 - 1)
	return err
}

// maxIndex is the last index that an event id has room for: a datagram holds more flows only where its template
// describes records of a byte or two, and no exporter has such flows.
const maxIndex = 1<<16 - 1

// Render reads export datagrams from the paths and writes one flow a line as nested ECS JSON: what `haidang flows`
// prints. What cannot be decoded is told to problem and the next datagram is read. It stops when ctx is done.
func Render(ctx context.Context, w io.Writer, paths []string, problem func(error)) error {
	var line []byte
	for _, path := range paths {
		err := Batches(path, Reading{Source: "file/" + filepath.Base(path), Problem: problem,
			Each: func(b *event.Batch) error {
				for e := range b.Events() {
					line = append(event.AppendJSON(line[:0], e, false), '\n')
					if _, err := w.Write(line); err != nil {
						return err
					}
				}
				return ctx.Err()
			}})
		if err != nil {
			return err
		}
	}
	return nil
}

func lossError(l flow.Loss) error {
	unit := "flow records"
	if l.Version == 9 {
		unit = "datagrams"
	}
	return fmt.Errorf("netflow: exporter %s domain %d: %d %s lost before they came here", l.Exporter, l.Domain,
		l.Count, unit)
}
