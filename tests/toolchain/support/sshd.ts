/** A real OpenSSH server on loopback, with its own port, keys and folder. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

export class Sshd {
  readonly folder = mkdtempSync(join(tmpdir(), "fleet-sshd-"));
  readonly user = userInfo().username;
  private process: ChildProcess | undefined;

  private constructor(readonly port: number) {}

  static async start(settings: readonly string[] = []): Promise<Sshd> {
    const sshd = new Sshd(await freePort());
    const key = (name: string, type: string) => {
      execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", name, "-f", sshd.file(name)]);
    };
    key("host-ed25519", "ed25519");
    key("host-rsa", "rsa");
    key("other-host", "ed25519");
    key("user", "ed25519");
    key("stranger", "ed25519");
    writeFileSync(sshd.file("authorized_keys"), sshd.read("user.pub"));
    chmodSync(sshd.folder, 0o700);
    const config = [
      `Port ${sshd.port.toString()}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${sshd.file("host-ed25519")}`,
      `HostKey ${sshd.file("host-rsa")}`,
      `AuthorizedKeysFile ${sshd.file("authorized_keys")}`,
      `PidFile ${sshd.file("pid")}`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin yes",
      "MaxStartups 100",
      "LogLevel VERBOSE",
      "Subsystem sftp internal-sftp",
      ...settings,
    ];
    writeFileSync(sshd.file("config"), `${config.join("\n")}\n`);
    await sshd.run();
    return sshd;
  }

  async run(): Promise<void> {
    // Where no sshd runs as a service, its folder for unprivileged processes is not there yet.
    mkdirSync("/run/sshd", { recursive: true });
    const server = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", this.file("config")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    server.stderr.on("data", (chunk: Buffer) => {
      this.log += chunk.toString();
    });
    this.process = server;
    for (let tries = 0; tries < 100 && !(await listening(this.port)); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.log = "";
  }

  /** What the server wrote since it started. */
  log = "";

  /** Waits until the server has written the text; its log comes a little after the event. */
  async logged(text: string): Promise<void> {
    for (let tries = 0; !this.log.includes(text); tries++) {
      if (tries === 100) {
        throw new Error(`sshd did not write ${text}:\n${this.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), "utf8");
  }

  /** A connection that works; a changed part can be given. */
  connection(changes: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      host: "127.0.0.1",
      port: this.port,
      user: this.user,
      privateKey: this.read("user"),
      hostKey: this.read("host-ed25519.pub"),
      dialErrorLimit: 0,
      ...changes,
    };
  }

  /** How many sessions have been let in. */
  accepted(): number {
    return this.log.split("Accepted publickey").length - 1;
  }

  /** Ends it, and waits until nobody listens any more. */
  async stop(): Promise<void> {
    const server = this.process;
    this.process = undefined;
    if (server === undefined || server.exitCode !== null) return;
    server.kill("SIGTERM");
    await once(server, "exit");
  }

  end(): void {
    this.process?.kill("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  });
}

function listening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => {
      resolve(false);
    });
  });
}
