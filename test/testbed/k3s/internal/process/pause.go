package process

import (
	"context"
	"time"
)

// Pause waits as k3s would; an error says that it was told to end.
func Pause(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}
