/** A mirror of the official downloads on loopback. */
import { createServer, type Server } from "node:http";

export class Mirror {
  /** Every path that was asked for, in order. */
  readonly asked: string[] = [];
  private server: Server | undefined;
  url = "";

  constructor(private readonly files: Readonly<Record<string, Buffer | string>>) {}

  start(): Promise<void> {
    const server = createServer((request, response) => {
      const name = (request.url ?? "").slice(1);
      this.asked.push(name);
      const content = this.files[name];
      response.writeHead(content === undefined ? 404 : 200).end(content);
    });
    this.server = server;
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        this.url = `http://127.0.0.1:${port.toString()}`;
        resolve();
      });
    });
  }

  end(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }
}
