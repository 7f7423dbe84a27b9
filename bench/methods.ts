/** The three ways to bring agents to a host. Each ends with four agents that answer `available`. */
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, type Result } from "../tests/e2e/support/clone";
import { PROJECT, UNIT, type Plan } from "./agents";
import type { BenchMachine } from "./machine";
import type { Method } from "./results";
import { STACK, type BenchStack } from "./stack";

export interface Deployer {
  /** Before a first install: nothing is known of the machine. */
  forget(): void;
  /** Writes what an operator would edit; the clock does not see it. */
  prepare(plan: Plan): void;
  /** The one command that an operator runs. */
  run(): Promise<Result>;
  remove(): void;
}

export function deployers(
  machine: BenchMachine,
  stack: BenchStack,
): Readonly<Record<Method, Deployer>> {
  return {
    fleet: fleetDeployer(machine, stack),
    ansible: ansibleDeployer(machine),
    floor: floorDeployer(machine),
  };
}

/** The source in the clone, as the stack file names it. */
const SOURCE = "agent";

function fleetDeployer(machine: BenchMachine, stack: BenchStack): Deployer {
  return {
    forget: () => {
      stack.forget();
    },
    prepare: ({ agents, set, source }) => {
      // One folder whose code changes, as in an operator's clone.
      const folder = join(stack.clone.folder, SOURCE);
      rmSync(folder, { recursive: true, force: true });
      cpSync(source, folder, { recursive: true });
      const own = agents.map(({ name, port }) => [name, { port, env: set[name] ?? {} }]);
      const host = {
        provider: "ssh",
        address: "127.0.0.1",
        hostKey: machine.hostKey,
        ssh: { port: machine.sshPort },
        agents: Object.fromEntries(own) as object,
      };
      stack.hosts({ vm: host }, SOURCE);
    },
    run: () => stack.clone.fleet(["up", "-s", STACK, "--yes"]),
    remove: () => {
      stack.clone.remove();
    },
  };
}

function ansibleDeployer(machine: BenchMachine): Deployer {
  const folder = workFolder(machine);
  const variables = join(folder.path, "variables.json");
  const inventory = join(folder.path, "inventory");
  return {
    ...folder.lifetime,
    prepare: ({ runtime, release, agents }) => {
      folder.disconnect();
      write(inventory, `[agents]\nvm ansible_ssh_common_args='-F ${folder.sshConfig}'\n`);
      write(variables, JSON.stringify({ runtime, release, agents, unit: UNIT }));
    },
    run: () => {
      const ansible = join(PROJECT, "bench/ansible");
      const args = ["-i", inventory, "-e", `@${variables}`, join(ansible, "deploy.yaml")];
      const env = {
        ...process.env,
        ANSIBLE_CONFIG: join(ansible, "ansible.cfg"),
        ANSIBLE_HOME: join(folder.path, "home"),
      };
      return run("ansible-playbook", args, { cwd: folder.path, input: "", env });
    },
  };
}

function floorDeployer(machine: BenchMachine): Deployer {
  const folder = workFolder(machine);
  const toHost = join(folder.path, "to-host");
  return {
    ...folder.lifetime,
    prepare: ({ runtime, release, agents }) => {
      folder.disconnect();
      rmSync(toHost, { recursive: true, force: true });
      mkdirSync(toHost);
      copyFileSync(runtime.file, join(folder.path, "runtime.tgz"));
      copyFileSync(release.file, join(folder.path, "release.tgz"));
      copyFileSync(UNIT, join(toHost, "unit"));
      write(join(toHost, "ids"), `RUNTIME=${runtime.id}\nRELEASE=${release.id}\n`);
      for (const { name, port, env } of agents) {
        const lines = Object.entries(env).map(([key, value]) => `${key}="${value}"\n`);
        write(join(toHost, `${name}.env`), lines.sort().join(""));
        write(join(toHost, `${name}.port`), String(port));
      }
    },
    run: () => {
      const args = [join(PROJECT, "bench/floor/deploy"), folder.sshConfig, folder.path];
      return run("sh", args, { cwd: folder.path, input: "" });
    },
  };
}

/** A private folder with an ssh configuration that opens one connection for all that a command does. */
function workFolder(machine: BenchMachine) {
  const path = mkdtempSync(join(tmpdir(), "fleet-bench-"));
  const sshConfig = join(path, "ssh");
  const knownHosts = join(path, "known_hosts");
  write(knownHosts, `[127.0.0.1]:${String(machine.sshPort)} ${machine.hostKey}\n`);
  const options = {
    HostName: "127.0.0.1",
    Port: String(machine.sshPort),
    User: "root",
    IdentityFile: machine.keyFile,
    IdentitiesOnly: "yes",
    UserKnownHostsFile: knownHosts,
    StrictHostKeyChecking: "yes",
    ControlMaster: "auto",
    ControlPath: join(path, "connection"),
    ControlPersist: "60",
  };
  const lines = Object.entries(options).map(([key, value]) => `  ${key} ${value}\n`);
  write(sshConfig, `Host vm\n${lines.join("")}`);
  /** Each command starts without one, as an operator's does who comes back later. */
  const disconnect = (): void => {
    spawnSync("ssh", ["-F", sshConfig, "-O", "exit", "vm"], { stdio: "ignore" });
  };
  return {
    path,
    sshConfig,
    disconnect,
    lifetime: {
      forget: () => undefined,
      remove: () => {
        disconnect();
        rmSync(path, { recursive: true, force: true });
      },
    },
  };
}

function write(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600 });
}
