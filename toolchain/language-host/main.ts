/**
 * The stand-in for pulumi-language-nodejs: starts the program with the @pulumi/pulumi that the
 * program itself depends on. It asks for no plugin: the toolchain installs those that a stack uses.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { answer, engineAddress, listen, whenEngineGoes } from "../grpc/answer";
import { PULUMI } from "../versions";

/** The exit code by which a program says that it has already told the operator what is wrong. */
const TOLD = 32;

const programs = new Set<ChildProcess>();
let engine = engineAddress(process.argv.slice(2));

const handlers: grpc.UntypedServiceImplementation = {
  handshake: answer((request: rpc.LanguageHandshakeRequest) => {
    engine = firstOf(request.getEngineAddress(), engine);
    return new rpc.LanguageHandshakeResponse();
  }),
  getRequiredPlugins: answer(() => new rpc.GetRequiredPluginsResponse()),
  getRequiredPackages: answer(() => new rpc.GetRequiredPackagesResponse()),
  runtimeOptionsPrompts: answer(() => new rpc.RuntimeOptionsResponse()),
  getPluginInfo: answer(() => {
    const reply = new PluginInfo();
    reply.setVersion(PULUMI);
    return reply;
  }),
  about: answer(() => {
    const reply = new rpc.AboutResponse();
    reply.setExecutable(process.execPath);
    reply.setVersion(process.version);
    return reply;
  }),
  getProgramDependencies: answer(dependencies),
  installDependencies,
  run: answer(run),
  cancel: answer(() => {
    stopPrograms();
    return new Empty();
  }),
};

async function run(request: rpc.RunRequest): Promise<rpc.RunResponse> {
  const info = request.getInfo();
  const options = (info?.getOptions()?.toJavaScript() ?? {}) as Record<string, unknown>;
  const folder = firstOf(info?.getProgramDirectory(), request.getPwd());
  const entry = firstOf(info?.getEntryPoint(), request.getProgram(), ".");

  const child = spawn(
    process.execPath,
    [
      ...nodeArguments(options["nodeargs"]),
      runner(folder),
      ...flags(request, info?.getRootDirectory() ?? ""),
      entry,
      ...request.getArgsList(),
    ],
    {
      cwd: firstOf(request.getPwd(), folder),
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().getEntryList())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        // The built-in ts-node only runs where the options do not switch it off.
        PULUMI_NODEJS_TYPESCRIPT: options["typescript"] === false ? "false" : "true",
        ...(typeof options["tsconfig"] === "string"
          ? { PULUMI_NODEJS_TSCONFIG_PATH: options["tsconfig"] }
          : {}),
      },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  programs.add(child);
  const failure = await outcome(child);
  programs.delete(child);

  const response = new rpc.RunResponse();
  if (failure === TOLD) {
    response.setBail(true);
  } else if (failure !== 0) {
    const how = typeof failure === "number" ? `exited with non-zero exit code: ` : "failed: ";
    response.setError(`Program ${how}${failure.toString()}`);
  }
  return response;
}

/** The program's exit code, or why it has none. */
function outcome(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.on("error", (error) => {
      resolve(error.message);
    });
    child.on("exit", (code, signal) => {
      resolve(code ?? `ended by ${signal ?? "a signal"}`);
    });
  });
}

function flags(request: rpc.RunRequest, root: string): string[] {
  const given: [string, string][] = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engine],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", root],
    ["stack", request.getStack()],
    ["pwd", request.getPwd()],
    ["dry-run", request.getDryrun() ? "true" : ""],
    ["parallel", request.getParallel().toString()],
  ];
  return given.filter(([, value]) => value !== "").map(([name, value]) => `--${name}=${value}`);
}

/** An absent text arrives as an empty one. */
function firstOf(...texts: (string | undefined)[]): string {
  return texts.find((text) => text !== undefined && text !== "") ?? "";
}

function nodeArguments(option: unknown): string[] {
  return typeof option === "string" ? option.split(/\s+/).filter((word) => word !== "") : [];
}

/** The runner in the program's own SDK: another copy could be of another version. */
function runner(folder: string): string {
  try {
    return createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  } catch {
    throw new Error(
      `@pulumi/pulumi is not installed in ${folder}; run npm ci there, or start with ./fleet`,
    );
  }
}

function dependencies(request: rpc.GetProgramDependenciesRequest) {
  const folder = firstOf(request.getInfo()?.getProgramDirectory(), request.getPwd());
  const reply = new rpc.GetProgramDependenciesResponse();
  for (const [name, version] of Object.entries(manifest(join(folder, "package.json")))) {
    const entry = new rpc.DependencyInfo();
    entry.setName(name);
    entry.setVersion(version);
    reply.addDependencies(entry);
  }
  return reply;
}

function manifest(file: string): Record<string, string> {
  try {
    const { dependencies: direct = {}, devDependencies: development = {} } = JSON.parse(
      readFileSync(file, "utf8"),
    ) as Record<string, Record<string, string>>;
    return { ...direct, ...development };
  } catch {
    return {};
  }
}

function installDependencies(
  call: grpc.ServerWritableStream<rpc.InstallDependenciesRequest, rpc.InstallDependenciesResponse>,
): void {
  const folder = firstOf(
    call.request.getInfo()?.getProgramDirectory(),
    call.request.getDirectory(),
  );
  const child = spawn("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pass = (set: "setStdout" | "setStderr") => (chunk: Buffer) => {
    const response = new rpc.InstallDependenciesResponse();
    response[set](chunk);
    call.write(response);
  };
  child.stdout.on("data", pass("setStdout"));
  child.stderr.on("data", pass("setStderr"));
  child.on("error", (error) => {
    call.destroy(error);
  });
  child.on("close", (code) => {
    if (code === 0) {
      call.end();
    } else {
      call.destroy(new Error(`npm install failed in ${folder} (exit code ${String(code)})`));
    }
  });
}

function stopPrograms(): void {
  for (const child of programs) {
    child.kill("SIGTERM");
  }
}

function end(): never {
  stopPrograms();
  process.exit(0);
}

listen("pulumi-language-nodejs", LanguageRuntimeService, handlers);
whenEngineGoes(end);
// The engine ends its plugins with SIGINT; they are in groups of their own, so it is not a Ctrl-C.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, end);
}
