// Package process starts k3s's children so that the end of one ends all, and
// none outlives its parent.
package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
)

// stopTimeout is how long children get between TERM and KILL.
const stopTimeout = 10 * time.Second

// Group is a set of processes with one fate.
type Group struct {
	// Context ends when the group is told to stop, by a signal or by a member's end.
	Context context.Context
	cancel  context.CancelCauseFunc
	spawn   chan func()
	done    sync.WaitGroup
	// served are the members that are not Last.
	served sync.WaitGroup
}

// NewGroup makes a group that ends with the given context.
func NewGroup(parent context.Context) *Group {
	ctx, cancel := context.WithCancelCause(parent)
	group := &Group{Context: ctx, cancel: cancel, spawn: make(chan func())}
	go func() {
		// PR_SET_PDEATHSIG fires when the *thread* that forked ends, so all
		// forks happen on one thread that stays (prctl(2), golang/go#27505).
		runtime.LockOSThread()
		for start := range group.spawn {
			start()
		}
	}()
	return group
}

// Fail ends the group for this reason.
func (g *Group) Fail(err error) { g.cancel(err) }

// Spec is a child to start.
type Spec struct {
	Name string
	Path string
	Args []string
	Dir  string
	// Env is added to this process's own.
	Env []string
	// OnParentDeath is the child's signal when this process dies without a word.
	// What k3s runs within its own process dies with it: SIGKILL.
	OnParentDeath syscall.Signal
	// Last is for what the others need until they have ended: an API server without its
	// datastore does not end, it waits for it.
	Last bool
	// Output is where stdout and stderr go; nil means this process's stderr.
	Output io.Writer
}

// Start starts the child. Its end, whatever its exit code, ends the group.
func (g *Group) Start(spec Spec) error {
	cmd := exec.Command(spec.Path)
	cmd.Args = append([]string{spec.Name}, spec.Args...)
	cmd.Dir = spec.Dir
	cmd.Env = append(os.Environ(), spec.Env...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if spec.Output != nil {
		cmd.Stdout, cmd.Stderr = spec.Output, spec.Output
	}
	// A group of its own: a terminal's ^C reaches this process, which then stops
	// the children in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: spec.OnParentDeath, Setpgid: true}

	started := make(chan error)
	g.spawn <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return fmt.Errorf("failed to start %s: %w", spec.Name, err)
	}
	logrus.Debugf("Started %s as process %d", spec.Name, cmd.Process.Pid)

	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	g.done.Add(1)
	if !spec.Last {
		g.served.Add(1)
	}
	go func() {
		defer g.done.Done()
		if !spec.Last {
			defer g.served.Done()
		}
		select {
		case err := <-ended:
			g.Fail(fmt.Errorf("%s exited: %w", spec.Name, exitError(err)))
		case <-g.Context.Done():
			if spec.Last {
				g.served.Wait()
			}
			stop(spec.Name, cmd.Process, ended)
		}
	}()
	return nil
}

func exitError(err error) error {
	if err == nil {
		return fmt.Errorf("exit status 0")
	}
	return err
}

func stop(name string, process *os.Process, ended <-chan error) {
	_ = process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		logrus.Warnf("%s did not end within %s of SIGTERM, killing it", name, stopTimeout)
		_ = process.Kill()
		<-ended
	}
}

// Wait returns when the group has ended and every child is gone, with the
// reason of the end.
func (g *Group) Wait() error {
	<-g.Context.Done()
	g.done.Wait()
	return context.Cause(g.Context)
}
