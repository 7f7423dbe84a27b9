/** remote.CopyToRemote: files over SFTP. No mode, no owner, no delete. */
import { readdirSync, statSync } from "node:fs";
import { basename, join, posix } from "node:path";
import type { SFTPWrapper } from "ssh2";
import { cause } from "../go-text";
import type { Call, Resource } from "../serve";
import { sourceOf, type Properties, type Source } from "../wire";
import { text, uniqueId } from "./command";
import { CONNECTION_FIELD, dial } from "./connection";

export const copyToRemote: Resource = {
  inputs: {
    connection: CONNECTION_FIELD,
    triggers: { type: "list", replaces: true },
    source: { type: "source", required: true },
    remotePath: { type: "string", required: true },
  },
  outputs: [],
  rules: (inputs) => {
    const source = sourceOf(inputs["source"]);
    if (source === undefined || source.path !== undefined) {
      return [];
    }
    if (source.kind === "archive") {
      return [["archive", "archive must be a path to a file or directory"]];
    }
    return source.text === undefined
      ? [["asset", "asset must be a path-based file asset or a text asset"]]
      : [];
  },
  create: async (inputs, call) => {
    await copy(inputs, call);
    return { id: uniqueId(""), own: {} };
  },
  update: async (olds, news, call) => {
    // Neither a new connection nor a moved file is a reason to copy the same content again.
    const changed =
      sourceOf(olds["source"])?.hash !== sourceOf(news["source"])?.hash ||
      olds["remotePath"] !== news["remotePath"];
    if (changed) {
      await copy(news, call);
    }
    return {};
  },
};

async function copy(inputs: Properties, call: Call): Promise<void> {
  const source = sourceOf(inputs["source"]) ?? { kind: "asset" };
  const remotePath = text(inputs, "remotePath") ?? "";
  const client = await dial(inputs, call);
  client.removeAllListeners("error");
  client.on("error", () => undefined);
  try {
    const sftp = new Sftp(
      await new Promise<SFTPWrapper>((resolve, reject) => {
        client.sftp((error, wrapper) => {
          if (error === undefined) {
            resolve(wrapper);
          } else {
            reject(new Error(`ssh: subsystem request failed: ${error.message}`));
          }
        });
      }),
    );
    await send(sftp, source, remotePath);
  } finally {
    client.end();
  }
}

/**
 * source | destination is a folder | does not exist   | is a file
 * dir    | destination/dir         | destination/dir  | error
 * dir/   | destination/*           | destination/*    | error
 * file   | destination/file        | destination      | overwritten
 */
async function send(sftp: Sftp, source: Source, remotePath: string): Promise<void> {
  const there = await sftp.kind(remotePath);
  if (source.path === undefined) {
    if (there === "folder") {
      throw new Error(
        `remote path ${remotePath} is a directory; when using a text asset, remotePath must be a file path`,
      );
    }
    await sftp.write(source.text ?? "", remotePath);
    return;
  }
  const { path } = source;
  if (!isFolder(path)) {
    await sftp.put(path, there === "folder" ? posix.join(remotePath, basename(path)) : remotePath);
    return;
  }
  await sftp.folder(remotePath, there);
  if (path.endsWith("/")) {
    await sendFolder(sftp, path, remotePath);
  } else {
    const inside = posix.join(remotePath, basename(path));
    await sftp.folder(inside, await sftp.kind(inside));
    await sendFolder(sftp, path, inside);
  }
}

async function sendFolder(sftp: Sftp, path: string, remotePath: string): Promise<void> {
  for (const name of readdirSync(path).sort()) {
    const from = join(path, name);
    const to = posix.join(remotePath, name);
    if (isFolder(from)) {
      await sftp.folder(to, await sftp.kind(to));
      await sendFolder(sftp, from, to);
    } else {
      await sftp.put(from, to);
    }
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw new Error(`open ${path}: ${cause(error)}`, { cause: error });
  }
}

type Kind = "folder" | "file" | "nothing";

class Sftp {
  constructor(private readonly wrapper: SFTPWrapper) {}

  kind(path: string): Promise<Kind> {
    return new Promise((resolve, reject) => {
      this.wrapper.stat(path, (error, stats) => {
        if (error === undefined) {
          resolve(stats.isDirectory() ? "folder" : "file");
        } else if (statusOf(error) === NO_SUCH_FILE) {
          resolve("nothing");
        } else {
          reject(new Error(`failed to stat remote path ${path}: ${sftpText(error)}`));
        }
      });
    });
  }

  async folder(path: string, there: Kind): Promise<void> {
    if (there === "file") {
      throw new Error(`remote path ${path} exists but is not a directory`);
    }
    if (there === "nothing") {
      await settled(`failed to create remote directory ${path}`, (done) => {
        this.wrapper.mkdir(path, done);
      });
    }
  }

  async put(from: string, to: string): Promise<void> {
    await settled(`failed to create remote file ${to}`, (done) => {
      this.wrapper.fastPut(from, to, done);
    });
  }

  async write(content: string, to: string): Promise<void> {
    await settled(`failed to create remote file ${to}`, (done) => {
      this.wrapper.writeFile(to, content, done);
    });
  }
}

function settled(
  what: string,
  act: (done: (error: Error | null | undefined) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    act((error) => {
      if (error === undefined || error === null) {
        resolve();
      } else {
        reject(new Error(`${what}: ${sftpText(error)}`));
      }
    });
  });
}

const NO_SUCH_FILE = 2;
const STATUS: Readonly<Record<number, string>> = {
  [NO_SUCH_FILE]: "file does not exist",
  3: "permission denied",
};

function statusOf(error: Error): number {
  const { code } = error as { code?: unknown };
  return typeof code === "number" ? code : -1;
}

function sftpText(error: Error): string {
  const status = statusOf(error);
  return STATUS[status] ?? (status >= 0 ? `sftp: "${error.message}"` : cause(error));
}
