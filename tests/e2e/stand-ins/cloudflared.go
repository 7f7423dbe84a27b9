// A stand-in for cloudflared: the same arguments, token file and /ready. It connects to the edge that its token
// names, tests/e2e/stand-ins/cloudflare.ts, and answers the requests that come from there by asking the service.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

type token struct {
	Tunnel string `json:"t"`
	Secret string `json:"s"`
	Edge   string `json:"e"`
}

type request struct {
	Id            int    `json:"id"`
	Url           string `json:"url"`
	Authorization string `json:"authorization"`
}

type answer struct {
	Id     int    `json:"id"`
	Status int    `json:"status"`
	Body   string `json:"body"`
}

var connected atomic.Bool

func main() {
	arguments := strings.Join(os.Args[1:], " ")
	var metrics, file string
	if n, _ := fmt.Sscanf(arguments, "tunnel --no-autoupdate --metrics %s run --token-file %s", &metrics, &file); n != 2 {
		fail("unknown arguments: " + arguments)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		fail(err.Error())
	}
	var own token
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || json.Unmarshal(decoded, &own) != nil {
		fail("Provided Tunnel token is not valid.")
	}
	listener, err := net.Listen("tcp", metrics)
	if err != nil {
		fail(err.Error())
	}
	http.HandleFunc("/ready", ready)
	go http.Serve(listener, nil)
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		os.Exit(0)
	}()
	for {
		connect(own)
		connected.Store(false)
		time.Sleep(time.Second)
	}
}

func ready(writer http.ResponseWriter, _ *http.Request) {
	status, connections := http.StatusServiceUnavailable, 0
	if connected.Load() {
		status, connections = http.StatusOK, 1
	}
	writer.WriteHeader(status)
	fmt.Fprintf(writer, `{"status":%d,"readyConnections":%d,"connectorId":"stand-in"}`, status, connections)
}

// Ends when the connection does.
func connect(own token) {
	connection, err := net.Dial("tcp", own.Edge)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERR Unable to establish connection with Cloudflare edge:", err)
		return
	}
	defer connection.Close()
	json.NewEncoder(connection).Encode(own)
	lines := bufio.NewScanner(connection)
	if !lines.Scan() {
		return
	}
	if lines.Text() != "ok" {
		// The real one does not log it; that a journal in an error holds none is tested with this line.
		fmt.Fprintln(os.Stderr, "INF token", token64(own))
		fail(lines.Text())
	}
	connected.Store(true)
	fmt.Fprintln(os.Stderr, "INF Registered tunnel connection")
	for lines.Scan() {
		var asked request
		if json.Unmarshal(lines.Bytes(), &asked) == nil {
			json.NewEncoder(connection).Encode(serve(asked))
		}
	}
}

func token64(own token) string {
	text, _ := json.Marshal(own)
	return base64.StdEncoding.EncodeToString(text)
}

func serve(asked request) answer {
	outgoing, err := http.NewRequest("GET", asked.Url, nil)
	if err != nil {
		return answer{asked.Id, http.StatusBadGateway, err.Error()}
	}
	outgoing.Header.Set("Authorization", asked.Authorization)
	got, err := http.DefaultClient.Do(outgoing)
	if err != nil {
		return answer{asked.Id, http.StatusBadGateway, err.Error()}
	}
	defer got.Body.Close()
	body, _ := io.ReadAll(got.Body)
	return answer{asked.Id, got.StatusCode, string(body)}
}

func fail(line string) {
	fmt.Fprintln(os.Stderr, "ERR", line)
	os.Exit(1)
}
