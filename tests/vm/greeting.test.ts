import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { sshGreets } from "../../vm/greeting";

const servers: Server[] = [];
const sockets = new Set<Socket>();
const SOON = { seconds: 20, trySeconds: 0.2 };

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server that does the next of these with each connection, and the last with all that follow. */
async function serving(...acts: readonly ((socket: Socket) => void)[]): Promise<number> {
  let count = 0;
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    acts[Math.min(count, acts.length - 1)]?.(socket);
    count += 1;
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

const closes = (socket: Socket) => socket.destroy();
const isSilent = () => undefined;
const isOther = (socket: Socket) => socket.write("HTTP/1.1 400 Bad Request\r\n");
const greets = (socket: Socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n");

test("one that closes, is silent or speaks something else is asked again until SSH greets", async () => {
  const port = await serving(closes, isSilent, isOther, greets);
  expect(await sshGreets(port, () => true, SOON)).toBe(true);
});

test("it ends when its time is over, and when there is nobody any more who could greet", async () => {
  const port = await serving(isSilent);
  expect(await sshGreets(port, () => true, { ...SOON, seconds: 0 })).toBe(false);
  expect(await sshGreets(port, () => false, SOON)).toBe(false);
});
