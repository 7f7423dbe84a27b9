// The stand-in for pulumi-language-nodejs: starts the program with the @pulumi/pulumi that the
// program itself depends on. It asks for no plugin: the toolchain installs those that a stack uses.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"agent-fleet/toolchain/standins/internal/serve"
	"agent-fleet/toolchain/standins/internal/versions"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// The exit code by which a program says that it has already told the operator what is wrong.
const told = 32

func main() {
	host := &languageHost{engine: serve.EngineAddress()}
	end := func() {
		host.stopPrograms()
		os.Exit(0)
	}
	signals := make(chan os.Signal, 1)
	// The engine ends its plugins with SIGINT; they are in groups of their own, so it is not a Ctrl-C.
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		end()
	}()
	serve.Serve(func(server *grpc.Server) { rpc.RegisterLanguageRuntimeServer(server, host) }, end)
}

type languageHost struct {
	rpc.UnimplementedLanguageRuntimeServer
	engine string

	lock     sync.Mutex
	programs []*os.Process
}

func (host *languageHost) Handshake(
	_ context.Context, request *rpc.LanguageHandshakeRequest,
) (*rpc.LanguageHandshakeResponse, error) {
	host.engine = firstOf(request.GetEngineAddress(), host.engine)
	return &rpc.LanguageHandshakeResponse{}, nil
}

func (*languageHost) GetRequiredPlugins(
	context.Context, *rpc.GetRequiredPluginsRequest,
) (*rpc.GetRequiredPluginsResponse, error) {
	return &rpc.GetRequiredPluginsResponse{}, nil
}

func (*languageHost) GetRequiredPackages(
	context.Context, *rpc.GetRequiredPackagesRequest,
) (*rpc.GetRequiredPackagesResponse, error) {
	return &rpc.GetRequiredPackagesResponse{}, nil
}

func (*languageHost) RuntimeOptionsPrompts(
	context.Context, *rpc.RuntimeOptionsRequest,
) (*rpc.RuntimeOptionsResponse, error) {
	return &rpc.RuntimeOptionsResponse{}, nil
}

func (*languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*rpc.PluginInfo, error) {
	return &rpc.PluginInfo{Version: versions.Pulumi}, nil
}

func (*languageHost) About(context.Context, *rpc.AboutRequest) (*rpc.AboutResponse, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	version, err := exec.Command(node, "--version").Output()
	if err != nil {
		return nil, err
	}
	return &rpc.AboutResponse{Executable: node, Version: strings.TrimSpace(string(version))}, nil
}

func (host *languageHost) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	host.stopPrograms()
	return &emptypb.Empty{}, nil
}

func (host *languageHost) Run(_ context.Context, request *rpc.RunRequest) (*rpc.RunResponse, error) {
	info := request.GetInfo()
	options := info.GetOptions().AsMap()
	folder := firstOf(info.GetProgramDirectory(), request.GetPwd())
	runner, err := findRunner(folder)
	if err != nil {
		return nil, err
	}
	nodeArguments, _ := options["nodeargs"].(string)
	args := append(strings.Fields(nodeArguments), runner)
	args = append(args, host.flags(request)...)
	args = append(args, firstOf(info.GetEntryPoint(), request.GetProgram(), "."))
	args = append(args, request.GetArgs()...)

	program := exec.Command("node", args...)
	program.Dir = firstOf(request.GetPwd(), folder)
	program.Env = append(os.Environ(),
		"PULUMI_CONFIG="+asJSON(request.GetConfig(), "{}"),
		"PULUMI_CONFIG_SECRET_KEYS="+asJSON(request.GetConfigSecretKeys(), "[]"),
		// The built-in ts-node only runs where the options do not switch it off.
		fmt.Sprintf("PULUMI_NODEJS_TYPESCRIPT=%t", options["typescript"] != false),
	)
	if tsconfig, given := options["tsconfig"].(string); given {
		program.Env = append(program.Env, "PULUMI_NODEJS_TSCONFIG_PATH="+tsconfig)
	}
	program.Stdout = os.Stdout
	program.Stderr = os.Stderr
	return response(host.run(program)), nil
}

// Waits for the program's end; until then it is ended with this process.
func (host *languageHost) run(program *exec.Cmd) error {
	host.lock.Lock()
	err := program.Start()
	if err == nil {
		host.programs = append(host.programs, program.Process)
	}
	host.lock.Unlock()
	if err != nil {
		return err
	}
	return program.Wait()
}

func (host *languageHost) stopPrograms() {
	host.lock.Lock()
	defer host.lock.Unlock()
	for _, program := range host.programs {
		// One that has ended is no longer there to be told.
		_ = program.Signal(syscall.SIGTERM)
	}
}

func response(failure error) *rpc.RunResponse {
	var exit *exec.ExitError
	switch {
	case failure == nil:
		return &rpc.RunResponse{}
	case !errors.As(failure, &exit):
		return &rpc.RunResponse{Error: "Program failed: " + failure.Error()}
	case exit.ExitCode() == told:
		return &rpc.RunResponse{Bail: true}
	case exit.Exited():
		code := exit.ExitCode()
		return &rpc.RunResponse{Error: fmt.Sprintf("Program exited with non-zero exit code: %d", code)}
	default:
		return &rpc.RunResponse{Error: "Program failed: ended by " + exit.Error()}
	}
}

func (host *languageHost) flags(request *rpc.RunRequest) []string {
	dryRun := ""
	if request.GetDryRun() {
		dryRun = "true"
	}
	var flags []string
	for _, flag := range [][2]string{
		{"monitor", request.GetMonitorAddress()},
		{"engine", host.engine},
		{"organization", request.GetOrganization()},
		{"project", request.GetProject()},
		{"root-directory", request.GetInfo().GetRootDirectory()},
		{"stack", request.GetStack()},
		{"pwd", request.GetPwd()},
		{"dry-run", dryRun},
		{"parallel", fmt.Sprint(request.GetParallel())},
	} {
		if flag[1] != "" {
			flags = append(flags, "--"+flag[0]+"="+flag[1])
		}
	}
	return flags
}

// The runner in the program's own SDK, found as Node would: another copy could be of another version.
func findRunner(folder string) (string, error) {
	for at := folder; ; at = filepath.Dir(at) {
		runner := filepath.Join(at, "node_modules", "@pulumi", "pulumi", "cmd", "run", "index.js")
		if real, err := filepath.EvalSymlinks(runner); err == nil {
			return real, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf(
				"@pulumi/pulumi is not installed in %s; run npm ci there, or start with ./fleet", folder)
		}
	}
}

func (*languageHost) GetProgramDependencies(
	_ context.Context, request *rpc.GetProgramDependenciesRequest,
) (*rpc.GetProgramDependenciesResponse, error) {
	folder := firstOf(request.GetInfo().GetProgramDirectory(), request.GetPwd())
	reply := &rpc.GetProgramDependenciesResponse{}
	for name, version := range manifest(filepath.Join(folder, "package.json")) {
		reply.Dependencies = append(reply.Dependencies, &rpc.DependencyInfo{Name: name, Version: version})
	}
	return reply, nil
}

func manifest(file string) map[string]string {
	var content struct{ Dependencies, DevDependencies map[string]string }
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &content) != nil {
		return nil
	}
	all := map[string]string{}
	maps.Copy(all, content.Dependencies)
	maps.Copy(all, content.DevDependencies)
	return all
}

func (*languageHost) InstallDependencies(
	request *rpc.InstallDependenciesRequest, stream rpc.LanguageRuntime_InstallDependenciesServer,
) error {
	folder := firstOf(request.GetInfo().GetProgramDirectory(), request.GetDirectory())
	npm := exec.Command("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = folder
	// Both through one writer, so that the stream is written to by one goroutine alone.
	output := &installOutput{stream}
	npm.Stdout = output
	npm.Stderr = output
	if err := npm.Run(); err != nil {
		return fmt.Errorf("npm install failed in %s (%w)", folder, err)
	}
	return nil
}

type installOutput struct {
	stream rpc.LanguageRuntime_InstallDependenciesServer
}

func (output *installOutput) Write(text []byte) (int, error) {
	return len(text), output.stream.Send(&rpc.InstallDependenciesResponse{Stdout: text})
}

// An absent text arrives as an empty one.
func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// Without any, Go would write null.
func asJSON[T map[string]string | []string](value T, empty string) string {
	if len(value) == 0 {
		return empty
	}
	text, _ := json.Marshal(value)
	return string(text)
}
