package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"agent-fleet/toolchain/standins/internal/plugin"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

var endFields = []plugin.Field{
	{Name: "host", Type: plugin.String, Required: true},
	{Name: "port", Type: plugin.Number, Default: 22.0},
	{Name: "user", Type: plugin.String, Default: "root"},
	{Name: "password", Type: plugin.String},
	{Name: "privateKey", Type: plugin.String},
	{Name: "privateKeyPassword", Type: plugin.String},
	{Name: "hostKey", Type: plugin.String},
	{Name: "agentSocketPath", Type: plugin.String},
	{Name: "dialErrorLimit", Type: plugin.Number, Default: 10.0},
	{Name: "perDialTimeout", Type: plugin.Number, Default: 15.0},
}

var connectionField = plugin.Field{
	Name: "connection", Type: plugin.Any, Required: true, Secret: true,
	Fields: append(endFields[:len(endFields):len(endFields)],
		plugin.Field{Name: "proxy", Type: plugin.Any, Fields: endFields}),
}

// One end of a connection: how to get in, and how long to try.
type end struct {
	address string
	config  *ssh.ClientConfig
	// Dials after which it gives up, -1 for never.
	limit int
	call  plugin.Call
}

// Reads keys before the first dial: a wrong one is a mistake, not a reason to try again.
func prepare(given plugin.Properties, call plugin.Call) (*end, error) {
	number := func(key string, otherwise float64) float64 {
		if value, is := given[key].(float64); is {
			return value
		}
		return otherwise
	}
	host, _ := plugin.Text(given, "host")
	user, named := plugin.Text(given, "user")
	if !named {
		user = "root"
	}
	methods, err := authMethods(given)
	if err != nil {
		return nil, err
	}
	config := &ssh.ClientConfig{
		User:            user,
		Auth:            methods,
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		// Of the TCP connection; the handshake has no limit.
		Timeout: time.Duration(number("perDialTimeout", 15) * float64(time.Second)),
	}
	if line, pinned := plugin.Text(given, "hostKey"); pinned {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("failed to parse host key: %w", err)
		}
		config.HostKeyCallback = ssh.FixedHostKey(key)
		config.HostKeyAlgorithms = []string{key.Type()}
	}
	return &end{
		address: net.JoinHostPort(host, strconv.Itoa(int(number("port", 22)))),
		config:  config,
		limit:   int(number("dialErrorLimit", 10)),
		call:    call,
	}, nil
}

// The first method of a kind is the only one that is tried: with a private key the agent is not asked.
func authMethods(given plugin.Properties) ([]ssh.AuthMethod, error) {
	var methods []ssh.AuthMethod
	if key, is := plugin.Text(given, "privateKey"); is {
		signer, err := signerOf(key, given)
		if err != nil {
			return nil, err
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	if password, is := plugin.Text(given, "password"); is {
		answer := func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = password
			}
			return answers, nil
		}
		methods = append(methods, ssh.Password(password), ssh.KeyboardInteractive(answer))
	}
	socket, is := plugin.Text(given, "agentSocketPath")
	if !is {
		socket = os.Getenv("SSH_AUTH_SOCK")
	}
	if socket != "" {
		connection, err := net.Dial("unix", socket)
		if err != nil {
			return nil, err
		}
		methods = append(methods, ssh.PublicKeysCallback(agent.NewClient(connection).Signers))
	}
	return methods, nil
}

func signerOf(key string, given plugin.Properties) (ssh.Signer, error) {
	if password, is := plugin.Text(given, "privateKeyPassword"); is {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(password))
	}
	return ssh.ParsePrivateKey([]byte(key))
}

// dial gives an authenticated client. Errors hold the official plugin's texts; no key or password.
func dial(ctx context.Context, inputs plugin.Properties, call plugin.Call) (*ssh.Client, error) {
	connection, _ := inputs["connection"].(plugin.Properties)
	target, err := prepare(connection, call)
	if err != nil {
		return nil, err
	}
	proxy, through := connection["proxy"].(plugin.Properties)
	if !through {
		return retrying(ctx, "Dial", target, target.dial)
	}
	client, err := dialThrough(ctx, proxy, target)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return client, nil
}

func dialThrough(ctx context.Context, given plugin.Properties, target *end) (*ssh.Client, error) {
	proxy, err := prepare(given, target.call)
	if err != nil {
		return nil, err
	}
	bastion, err := retrying(ctx, "Dial proxy", proxy, proxy.dial)
	if err != nil {
		return nil, err
	}
	channel, err := retrying(ctx, "Dial from proxy", target, func(ctx context.Context) (net.Conn, error) {
		return bastion.DialContext(ctx, "tcp", target.address)
	})
	if err != nil {
		return nil, err
	}
	return retrying(ctx, "Dial", target, func(ctx context.Context) (*ssh.Client, error) {
		return target.handshake(ctx, channel)
	})
}

func (e *end) dial(ctx context.Context) (*ssh.Client, error) {
	connection, err := (&net.Dialer{Timeout: e.config.Timeout}).DialContext(ctx, "tcp", e.address)
	if err != nil {
		return nil, err
	}
	return e.handshake(ctx, connection)
}

// The host key is compared before anything about the user is sent.
func (e *end) handshake(ctx context.Context, connection net.Conn) (*ssh.Client, error) {
	// The official plugin waits for a handshake that hangs.
	stop := context.AfterFunc(ctx, func() { connection.Close() })
	defer stop()
	client, channels, requests, err := ssh.NewClientConn(connection, e.address, e.config)
	if err != nil {
		connection.Close()
		return nil, err
	}
	return ssh.NewClient(client, channels, requests), nil
}

// Tries again with growing pauses: 0.1 s, then 1.5 times the last one, at most 5 s.
func retrying[T any](
	ctx context.Context, what string, to *end, dial func(context.Context) (T, error),
) (T, error) {
	of := strconv.Itoa(to.limit)
	if to.limit == -1 {
		of = "inf"
	}
	pause := 100 * time.Millisecond
	for dials := 1; ; dials++ {
		result, err := dial(ctx)
		if err == nil {
			return result, nil
		}
		if ctx.Err() == nil && to.limit > -1 && dials > to.limit {
			return result, fmt.Errorf("after %d failed attempts: %w", dials-1, err)
		}
		to.call.Status(fmt.Sprintf("%s %d/%s failed: retrying", what, dials, of))
		select {
		case <-ctx.Done():
			return result, ctx.Err()
		case <-time.After(pause):
		}
		pause = min(pause*3/2, 5*time.Second)
	}
}
