/** Programs that are in no registry: stand-ins for them, and a server on this machine that gives them out. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Clone } from "./clone";

const read = (name: string) => readFileSync(join(__dirname, "../stand-ins", name));

export class StandInPrograms {
  readonly #server = createServer(({ url = "" }, response) => response.end(read(url.slice(1))));

  async listen(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
  }

  close(): void {
    this.#server.close();
  }

  /** A stand-in as a stack names the program of an agent, or of a unit or a tool beside it. */
  program(name: string, version = "1.0.0"): object {
    const { port } = this.#server.address() as AddressInfo;
    const sha256 = createHash("sha256").update(read(name)).digest("hex");
    const file = { url: `http://127.0.0.1:${String(port)}/${name}`, sha256 };
    return { version, downloads: { "linux-amd64": file, "linux-arm64": file } };
  }
}

/** Takes the packages out of a profile of the clone: they are a matter of the distribution's mirrors. */
export function dropPackages(clone: Clone, profile: string): void {
  const path = `assets/profiles/${profile}.yaml`;
  clone.write(path, clone.file(path).replace(/^packages:\n( .*\n)+/m, ""));
}
