// Package plugin is what every plugin stand-in shares: the gRPC server that the engine talks to.
package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"agent-fleet/toolchain/standins/internal/serve"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Call is the circumstances of one create, update or delete.
type Call struct {
	// The resource's name in the program.
	Name string
	// Tells the operator one line; it has arrived when the function returns.
	Log func(severity rpc.LogSeverity, line string)
	// Shows one line while the step runs; it is not kept.
	Status func(line string)
}

// Resource is one resource type. Inputs and states arrive without secret wrappers. The context ends
// by the engine's cancel and by the resource's custom timeout.
type Resource struct {
	Inputs []Field
	// Rules that a table of fields cannot say; nil: none.
	Rules func(inputs Properties) []Failure
	// Outputs that are not inputs: unknown in previews.
	Outputs []string
	Create  func(ctx context.Context, inputs Properties, call Call) (id string, own Properties, err error)
	// Gives the outputs of its own; nil: every change replaces.
	Update func(ctx context.Context, olds, news Properties, call Call) (Properties, error)
	// nil: nothing is to be done.
	Delete func(ctx context.Context, state Properties, call Call) error
}

// Serve answers the engine until it ends the plugin.
func Serve(name, version string, resources map[string]Resource) {
	running, cancel := context.WithCancel(context.Background())
	plugin := &provider{
		name:      name,
		version:   version,
		resources: resources,
		running:   running,
		cancel:    cancel,
	}
	plugin.connect(serve.EngineAddress())
	serve.Serve(
		func(server *grpc.Server) { rpc.RegisterResourceProviderServer(server, plugin) },
		func() { os.Exit(0) },
	)
}

type provider struct {
	rpc.UnimplementedResourceProviderServer
	name      string
	version   string
	resources map[string]Resource

	lock sync.Mutex
	// Ends when the engine cancels; a new one takes its place.
	running context.Context
	cancel  context.CancelFunc
	engine  rpc.EngineClient
}

func (p *provider) Handshake(
	_ context.Context, request *rpc.ProviderHandshakeRequest,
) (*rpc.ProviderHandshakeResponse, error) {
	p.connect(request.GetEngineAddress())
	return &rpc.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true}, nil
}

func (p *provider) Attach(_ context.Context, request *rpc.PluginAttach) (*emptypb.Empty, error) {
	p.connect(request.GetAddress())
	return &emptypb.Empty{}, nil
}

func (p *provider) GetPluginInfo(context.Context, *emptypb.Empty) (*rpc.PluginInfo, error) {
	return &rpc.PluginInfo{Version: p.version}, nil
}

func (p *provider) GetSchema(context.Context, *rpc.GetSchemaRequest) (*rpc.GetSchemaResponse, error) {
	schema, err := json.Marshal(map[string]string{"name": p.name, "version": p.version})
	return &rpc.GetSchemaResponse{Schema: string(schema)}, err
}

func (*provider) CheckConfig(_ context.Context, request *rpc.CheckRequest) (*rpc.CheckResponse, error) {
	return &rpc.CheckResponse{Inputs: request.GetNews()}, nil
}

func (*provider) DiffConfig(context.Context, *rpc.DiffRequest) (*rpc.DiffResponse, error) {
	return &rpc.DiffResponse{}, nil
}

func (*provider) Configure(context.Context, *rpc.ConfigureRequest) (*rpc.ConfigureResponse, error) {
	return &rpc.ConfigureResponse{AcceptSecrets: true, AcceptResources: true, SupportsPreview: true}, nil
}

func (p *provider) Invoke(_ context.Context, request *rpc.InvokeRequest) (*rpc.InvokeResponse, error) {
	return nil, fmt.Errorf(
		"this stand-in for the %s plugin does not have the function %s; the official plugin is needed for it",
		p.name, request.GetTok())
}

func (p *provider) Check(_ context.Context, request *rpc.CheckRequest) (*rpc.CheckResponse, error) {
	resource, err := p.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, failures := check(resource.Inputs, decode(request.GetNews()), TypeOf(request.GetUrn()))
	if len(failures) == 0 && resource.Rules != nil {
		failures = resource.Rules(inputs)
	}
	reply := &rpc.CheckResponse{}
	for _, failure := range failures {
		reply.Failures = append(reply.Failures,
			&rpc.CheckFailure{Property: failure.Property, Reason: failure.Reason})
	}
	reply.Inputs, err = encode(inputs)
	return reply, err
}

func (p *provider) Diff(_ context.Context, request *rpc.DiffRequest) (*rpc.DiffResponse, error) {
	resource, err := p.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	olds := decode(request.GetOlds())
	return diff(resource, olds, keep(decode(request.GetNews()), olds, request.GetIgnoreChanges())), nil
}

func (p *provider) Create(ctx context.Context, request *rpc.CreateRequest) (*rpc.CreateResponse, error) {
	resource, err := p.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs := decode(request.GetProperties())
	reply := &rpc.CreateResponse{}
	own := unknownOutputs(resource)
	if !request.GetPreview() {
		ctx, end := p.during(ctx, request.GetTimeout())
		defer end()
		reply.Id, own, err = resource.Create(ctx, unwrapAll(inputs), p.call(request.GetUrn()))
		if err != nil {
			return nil, err
		}
	}
	reply.Properties, err = stateOf(inputs, own)
	return reply, err
}

func (*provider) Read(_ context.Context, request *rpc.ReadRequest) (*rpc.ReadResponse, error) {
	return &rpc.ReadResponse{
		Id:         request.GetId(),
		Properties: request.GetProperties(),
		Inputs:     request.GetInputs(),
	}, nil
}

func (p *provider) Update(ctx context.Context, request *rpc.UpdateRequest) (*rpc.UpdateResponse, error) {
	resource, err := p.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	olds := decode(request.GetOlds())
	news := keep(decode(request.GetNews()), olds, request.GetIgnoreChanges())
	reply := &rpc.UpdateResponse{}
	own := unknownOutputs(resource)
	if !request.GetPreview() {
		ctx, end := p.during(ctx, request.GetTimeout())
		defer end()
		own, err = resource.Update(ctx, unwrapAll(olds), unwrapAll(news), p.call(request.GetUrn()))
		if err != nil {
			return nil, err
		}
	}
	reply.Properties, err = stateOf(news, own)
	return reply, err
}

func (p *provider) Delete(ctx context.Context, request *rpc.DeleteRequest) (*emptypb.Empty, error) {
	resource, err := p.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	if resource.Delete == nil {
		return &emptypb.Empty{}, nil
	}
	ctx, end := p.during(ctx, request.GetTimeout())
	defer end()
	state := unwrapAll(decode(request.GetProperties()))
	return &emptypb.Empty{}, resource.Delete(ctx, state, p.call(request.GetUrn()))
}

func (p *provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.cancel()
	p.running, p.cancel = context.WithCancel(context.Background())
	return &emptypb.Empty{}, nil
}

func (p *provider) resource(urn string) (Resource, error) {
	resource, known := p.resources[TypeOf(urn)]
	if !known {
		return resource, fmt.Errorf(
			"this stand-in for the %s plugin does not have %s; it has %s. The official plugin is needed for it",
			p.name, TypeOf(urn), strings.Join(slices.Sorted(maps.Keys(p.resources)), ", "))
	}
	return resource, nil
}

// The context of one step, ended by the engine's cancel too.
func (p *provider) during(ctx context.Context, seconds float64) (context.Context, func()) {
	p.lock.Lock()
	running := p.running
	p.lock.Unlock()
	var cancel context.CancelFunc
	if seconds > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second)))
	} else {
		ctx, cancel = context.WithCancel(ctx)
	}
	stop := context.AfterFunc(running, cancel)
	return ctx, func() { stop(); cancel() }
}

func (p *provider) connect(address string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if address == "" || p.engine != nil {
		return
	}
	if connection, err := grpc.NewClient(address, serve.Plain); err == nil {
		p.engine = rpc.NewEngineClient(connection)
	}
}

func (p *provider) call(urn string) Call {
	log := func(severity rpc.LogSeverity, line string, ephemeral bool) {
		p.lock.Lock()
		engine := p.engine
		p.lock.Unlock()
		if engine != nil {
			// A line that cannot be delivered must not fail the step that wrote it.
			_, _ = engine.Log(context.Background(),
				&rpc.LogRequest{Severity: severity, Message: line, Urn: urn, Ephemeral: ephemeral})
		}
	}
	return Call{
		Name:   strings.Join(strings.Split(urn, "::")[3:], "::"),
		Log:    func(severity rpc.LogSeverity, line string) { log(severity, line, false) },
		Status: func(line string) { log(rpc.LogSeverity_INFO, line, true) },
	}
}

func diff(resource Resource, olds, news Properties) *rpc.DiffResponse {
	reply := &rpc.DiffResponse{
		Changes:         rpc.DiffResponse_DIFF_NONE,
		HasDetailedDiff: true,
		DetailedDiff:    map[string]*rpc.PropertyDiff{},
	}
	for _, field := range resource.Inputs {
		before, was := olds[field.Name]
		after, will := news[field.Name]
		secrecy := was && hasSecret(before) != hasSecret(after)
		if !secrecy && same(orAssumed(before, field), orAssumed(after, field)) {
			continue
		}
		replaces := field.Replaces || resource.Update == nil
		reply.Changes = rpc.DiffResponse_DIFF_SOME
		reply.Diffs = append(reply.Diffs, field.Name)
		if replaces {
			reply.Replaces = append(reply.Replaces, field.Name)
		}
		reply.DetailedDiff[field.Name] = &rpc.PropertyDiff{Kind: kindOf(was, will, replaces)}
	}
	return reply
}

func orAssumed(value any, field Field) any {
	if value == nil {
		return field.Assumed
	}
	return value
}

func kindOf(before, after, replaces bool) rpc.PropertyDiff_Kind {
	kind := rpc.PropertyDiff_UPDATE
	switch {
	case !before:
		kind = rpc.PropertyDiff_ADD
	case !after:
		kind = rpc.PropertyDiff_DELETE
	}
	if replaces {
		// Each kind is followed by the one that replaces.
		kind++
	}
	return kind
}

func unknownOutputs(resource Resource) Properties {
	all := Properties{}
	for _, name := range resource.Outputs {
		all[name] = unknown
	}
	return all
}

func stateOf(inputs, own Properties) (*structpb.Struct, error) {
	state := maps.Clone(inputs)
	maps.Copy(state, own)
	return encode(state)
}

func keep(news, olds Properties, ignored []string) Properties {
	kept := maps.Clone(news)
	for _, key := range ignored {
		if old, was := olds[key]; was {
			kept[key] = old
		} else {
			delete(kept, key)
		}
	}
	return kept
}

// TypeOf reads urn:pulumi:stack::project::parent$package:module:Type::name.
func TypeOf(urn string) string {
	parts := strings.Split(urn, "::")
	if len(parts) < 3 {
		return ""
	}
	types := strings.Split(parts[2], "$")
	return types[len(types)-1]
}
