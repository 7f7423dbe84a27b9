import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refreshRanges } from "../../cli/commands/refresh-ranges";
import { loadRanges, oldRanges, parseRanges } from "../../stacks/cloudflare-ranges";

const DAY = 86_400_000;
const RANGES = { date: "2026-01-01", ipv4: ["192.0.2.0/24"], ipv6: ["2001:db8::/32"] };

test("the file of this version holds ranges of both families", () => {
  const { ipv4, ipv6 } = loadRanges(join(__dirname, "../.."));
  expect([ipv4.length, ipv6.length]).toEqual([15, 7]);
});

test("ranges are old after 90 days, and the warning says what fetches them", () => {
  const taken = Date.parse(RANGES.date);
  expect(oldRanges(RANGES, taken + 90 * DAY)).toBeUndefined();
  expect(oldRanges(RANGES, taken + 91 * DAY)).toBe(
    "Cloudflare's ranges in assets/cloudflare-ranges.json are 91 days old; ./fleet refresh-ranges fetches today's",
  );
});

test.each(["0.0.0.0/0", "192.0.2.1/24", "example.com"])(
  "%s is no range of Cloudflare's",
  (range) => {
    expect(() => parseRanges({ ...RANGES, ipv4: [range] })).toThrow();
  },
);

describe("refresh-ranges", () => {
  let folder: string;
  let server: Server;
  let answer: string;
  const file = () => join(folder, "ranges.json");
  const refresh = () => {
    const { port } = server.address() as AddressInfo;
    return refreshRanges(
      `http://127.0.0.1:${String(port)}/`,
      file(),
      new Date("2026-11-21T12:00Z"),
    );
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "fleet-ranges-"));
    writeFileSync(file(), "as before");
    server = createServer((_, response) => response.end(answer));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  test("writes what Cloudflare's API answers, with the day", async () => {
    const result = {
      ipv6_cidrs: ["2001:db8::/32"],
      ipv4_cidrs: ["198.51.100.0/24", "192.0.2.0/24"],
    };
    answer = JSON.stringify({ success: true, result: { ...result, etag: "x" } });
    expect(await refresh()).toBe("assets/cloudflare-ranges.json: 3 ranges, as of 2026-11-21");
    expect(JSON.parse(readFileSync(file(), "utf8"))).toEqual({
      date: "2026-11-21",
      ipv4: ["192.0.2.0/24", "198.51.100.0/24"],
      ipv6: ["2001:db8::/32"],
    });
  });

  test.each([
    "<html>",
    '{"success":false}',
    '{"result":{"ipv4_cidrs":["0.0.0.0/0"],"ipv6_cidrs":[]}}',
  ])("leaves the file as it is when the answer is %s", async (text) => {
    answer = text;
    await expect(refresh()).rejects.toThrow(/left as it is.*edit the file by hand/s);
    expect(readFileSync(file(), "utf8")).toBe("as before");
  });
});
