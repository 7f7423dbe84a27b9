/** Whether an SSH server answers: what forwards to a VM that boots takes connections long before. */
import { connect } from "node:net";

export interface Patience {
  /** Until it must have greeted. */
  readonly seconds: number;
  /** For the greeting of one connection. */
  readonly trySeconds: number;
}

/** As a step of the stack waits for a machine that boots. */
const BOOTING: Patience = { seconds: 600, trySeconds: 5 };

/**
 * Resolves when the SSH server behind a port of this machine has sent its greeting. Nobody logs in.
 * @param alive whether it can still come to this
 * @returns whether it did in time
 */
export async function sshGreets(
  port: number,
  alive: () => boolean,
  { seconds, trySeconds }: Patience = BOOTING,
): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await greets(port, trySeconds))) {
    if (!alive() || Date.now() > deadline) return false;
    await new Promise((done) => setTimeout(done, 500));
  }
  return true;
}

async function greets(port: number, seconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(seconds * 1000, () => {
      end(false);
    });
    socket.once("data", (data) => {
      end(data.toString("latin1").startsWith("SSH-"));
    });
    for (const event of ["error", "close"]) {
      socket.once(event, () => {
        end(false);
      });
    }
  });
}
