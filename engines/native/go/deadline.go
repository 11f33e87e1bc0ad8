package trine

import (
	"context"
	"sync"
	"time"
)

// deadline is the context of an invocation. It ends shortly before its deadline, when Trine says that the time is nearly up,
// and its error is the deadline's then, which contexts of the standard library have at the deadline alone.
type deadline struct {
	at    time.Time
	timer *time.Timer
	done  chan struct{}
	mutex sync.Mutex
	err   error
}

func newDeadline(at time.Time) *deadline {
	d := &deadline{at: at, done: make(chan struct{})}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.timer = time.AfterFunc(time.Until(at), func() { d.end(context.DeadlineExceeded) })
	return d
}

func (d *deadline) Deadline() (time.Time, bool) { return d.at, true }

func (d *deadline) Done() <-chan struct{} { return d.done }

func (d *deadline) Err() error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.err
}

func (d *deadline) Value(any) any { return nil }

// end ends the context for this reason, unless it has ended.
func (d *deadline) end(reason error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.err == nil {
		d.err = reason
		close(d.done)
		d.timer.Stop()
	}
}
