// The stand-in for the plugin of any cloud, for tests alone: ./fleet never installs it. It is placed as
// the plugin that it stands for, takes every resource, makes nothing and gives the inputs back. What
// exists cannot be changed or read.
//
// A server is the exception where STAND_IN_SERVERS names a program: `PROGRAM create ID` gets the
// server's inputs as JSON on stdin and prints its own outputs as JSON; `PROGRAM delete ID` ends it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"agent-fleet/toolchain/standins/internal/plugin"
	"agent-fleet/toolchain/standins/internal/serve"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

const server = "hcloud:index/server:Server"

func main() {
	cloud := &cloud{servers: os.Getenv("STAND_IN_SERVERS")}
	cloud.last.Store(time.Now().UnixMilli())
	serve.Serve(
		func(server *grpc.Server) { rpc.RegisterResourceProviderServer(server, cloud) },
		func() { os.Exit(0) },
	)
}

type cloud struct {
	rpc.UnimplementedResourceProviderServer
	// The program that makes and ends servers; "": there are none.
	servers string
	// The last id: a number, as Hetzner's are.
	last atomic.Int64
}

var placed = regexp.MustCompile(`^resource-.+-v([^-]+)$`)

// GetPluginInfo tells the version of the folder that it was placed in.
func (*cloud) GetPluginInfo(context.Context, *emptypb.Empty) (*rpc.PluginInfo, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	match := placed.FindStringSubmatch(filepath.Base(filepath.Dir(program)))
	if match == nil {
		return nil, fmt.Errorf("%s is not in the folder of a plugin", program)
	}
	return &rpc.PluginInfo{Version: match[1]}, nil
}

func (*cloud) Attach(context.Context, *rpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (*cloud) CheckConfig(_ context.Context, request *rpc.CheckRequest) (*rpc.CheckResponse, error) {
	return &rpc.CheckResponse{Inputs: request.GetNews()}, nil
}

func (*cloud) DiffConfig(context.Context, *rpc.DiffRequest) (*rpc.DiffResponse, error) {
	return &rpc.DiffResponse{}, nil
}

func (*cloud) Configure(context.Context, *rpc.ConfigureRequest) (*rpc.ConfigureResponse, error) {
	return &rpc.ConfigureResponse{AcceptSecrets: true, AcceptResources: true, SupportsPreview: true}, nil
}

// Invoke knows nothing of any cloud: what a program looks up there is empty.
func (*cloud) Invoke(context.Context, *rpc.InvokeRequest) (*rpc.InvokeResponse, error) {
	return &rpc.InvokeResponse{Return: &structpb.Struct{}}, nil
}

func (*cloud) Check(_ context.Context, request *rpc.CheckRequest) (*rpc.CheckResponse, error) {
	return &rpc.CheckResponse{Inputs: request.GetNews()}, nil
}

func (*cloud) Diff(_ context.Context, request *rpc.DiffRequest) (*rpc.DiffResponse, error) {
	if proto.Equal(request.GetOldInputs(), request.GetNews()) {
		return &rpc.DiffResponse{Changes: rpc.DiffResponse_DIFF_NONE}, nil
	}
	return &rpc.DiffResponse{Changes: rpc.DiffResponse_DIFF_SOME}, nil
}

func (c *cloud) Create(ctx context.Context, request *rpc.CreateRequest) (*rpc.CreateResponse, error) {
	state := request.GetProperties()
	if request.GetPreview() {
		return &rpc.CreateResponse{Properties: state}, nil
	}
	id := strconv.FormatInt(c.last.Add(1), 10)
	if c.isServer(request.GetUrn()) {
		own, err := c.createServer(ctx, id, state)
		if err != nil {
			return nil, err
		}
		state = proto.Clone(state).(*structpb.Struct)
		proto.Merge(state, own)
	}
	return &rpc.CreateResponse{Id: id, Properties: state}, nil
}

func (c *cloud) Delete(ctx context.Context, request *rpc.DeleteRequest) (*emptypb.Empty, error) {
	var err error
	if c.isServer(request.GetUrn()) {
		_, err = c.run(ctx, nil, "delete", request.GetId())
	}
	return &emptypb.Empty{}, err
}

func (*cloud) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (c *cloud) isServer(urn string) bool {
	return c.servers != "" && plugin.TypeOf(urn) == server
}

func (c *cloud) createServer(
	ctx context.Context, id string, inputs *structpb.Struct,
) (*structpb.Struct, error) {
	given, err := json.Marshal(plugin.Plain(inputs))
	if err != nil {
		return nil, err
	}
	answer, err := c.run(ctx, given, "create", id)
	if err != nil {
		return nil, err
	}
	own := &structpb.Struct{}
	return own, own.UnmarshalJSON(answer)
}

func (c *cloud) run(ctx context.Context, stdin []byte, words ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, c.servers, words...)
	command.Stdin = bytes.NewReader(stdin)
	answer, err := command.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%s: %w:\n%s", strings.Join(words, " "), err, failed.Stderr)
	}
	return answer, err
}
