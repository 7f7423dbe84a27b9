// Package serve holds what the language host and the plugins share in talking to the engine.
package serve

import (
	"fmt"
	"math"
	"net"
	"os"
	"regexp"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Plain is how the engine is called back: on loopback, without TLS.
var Plain = grpc.WithTransportCredentials(insecure.NewCredentials())

var address = regexp.MustCompile(`^[^=]*:\d+$`)

// EngineAddress is the last argument that looks like one.
func EngineAddress() string {
	for i := len(os.Args) - 1; i > 0; i-- {
		if address.MatchString(os.Args[i]) {
			return os.Args[i]
		}
	}
	return ""
}

// Serve answers the engine on a free loopback port and prints the port, which is how the engine
// learns of it. An engine that was killed cannot end what it started: then end is called.
func Serve(register func(*grpc.Server), end func()) {
	parent := os.Getppid()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))
	register(server)
	go func() {
		for os.Getppid() == parent {
			time.Sleep(500 * time.Millisecond)
		}
		end()
	}()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
