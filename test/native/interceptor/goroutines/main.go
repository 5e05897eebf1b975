// Goroutines opens a file from many goroutines at once, each at a depth of its own, so that the call
// is made from every distance to the end of a goroutine's stack, which is a small piece of the heap.
// What the interceptor writes below a stack must hurt nothing there: it checks what it read, what it
// kept on its stacks, and blocks of the heap between them, with the collector running all the time.
//
//	goroutines FILE CONTENT
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
)

const (
	goroutines = 64
	depth      = 400
)

// descend keeps a pattern in each frame, opens at each depth, and returns how many were wrong.
func descend(level int, seed byte) int {
	var pattern [40]byte
	for i := range pattern {
		pattern[i] = seed + byte(i+level)
	}
	wrong := 0
	if level%16 == int(seed)%16 {
		if text, err := os.ReadFile(os.Args[1]); err != nil || string(text) != os.Args[2] {
			wrong++
		}
	}
	if level > 0 {
		wrong += descend(level-1, seed)
	}
	for i := range pattern {
		if pattern[i] != seed+byte(i+level) {
			wrong++
		}
	}
	return wrong
}

// stacks starts goroutines whose stacks are new, and with them small, and collects what they found.
func stacks(round byte) int {
	var group sync.WaitGroup
	results := make([]int, goroutines)
	// Spans of the size of a new stack, filled, next to which stacks are allocated.
	heap := make([][]byte, goroutines)
	for i := range goroutines {
		heap[i] = make([]byte, 2048)
		for j := range heap[i] {
			heap[i][j] = round
		}
		group.Go(func() { results[i] = descend((i*7+int(round))%depth, byte(i)) })
	}
	group.Wait()
	wrong := 0
	for i := range goroutines {
		wrong += results[i]
		for _, b := range heap[i] {
			if b != round {
				wrong++
			}
		}
	}
	return wrong
}

func main() {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	}()
	wrong := 0
	for round := range byte(20) {
		wrong += stacks(round)
	}
	close(done)
	if wrong > 0 {
		fmt.Println(wrong, "wrong")
		os.Exit(1)
	}
}
