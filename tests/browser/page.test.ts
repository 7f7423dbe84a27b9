/** The picture and the page of a fleet in a real browser. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { fleetPage } from "../../cli/picture/page";
import { SAMPLE } from "../../cli/picture/sample";
import { fleetSvg } from "../../cli/picture/svg";
import { findBrowser } from "../../cli/testing/packages";
import { contrast } from "./contrast";
import { FLEETS } from "./fleets";

const MEASURE = readFileSync(join(__dirname, "measure.js"), "utf8");
/** A machine that is busy with VMs takes long to start a browser. */
const START_MS = 180_000;

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
interface Measured {
  readonly title: string;
  readonly scripts: number;
  readonly overhang: number;
  readonly svg: Rectangle;
  readonly boxes: readonly Rectangle[];
  readonly cards: readonly Rectangle[];
  readonly texts: readonly {
    readonly text: string;
    readonly at: Rectangle;
    readonly frame: Rectangle;
    readonly fill: string;
    readonly on: string;
  }[];
}

let folder: string;
let browser: Browser;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fleet-browser-"));
  browser = await chromium.launch({
    executablePath: findBrowser() ?? "no browser: ./fleet test browser installs one",
    // Root may not have its sandbox; what is shown here was made here.
    args: ["--no-sandbox", "--disable-gpu"],
    timeout: START_MS,
  });
}, START_MS);
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

const SCHEMES = ["light", "dark"] as const;

/** Shows a text as a file; notes what the browser asks for, and what it complains of. */
async function shown(
  name: string,
  text: string,
  look: { colorScheme?: (typeof SCHEMES)[number]; width?: number },
  use: (
    page: Page,
    seen: { requests: string[]; complaints: string[]; url: string },
  ) => Promise<void>,
): Promise<void> {
  const file = join(folder, name);
  writeFileSync(file, text);
  const { colorScheme = "light", width = 1280 } = look;
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
  const seen = {
    requests: [] as string[],
    complaints: [] as string[],
    url: pathToFileURL(file).href,
  };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("console", (message) => seen.complaints.push(message.text()));
  page.on("pageerror", ({ message }) => seen.complaints.push(message));
  try {
    await page.goto(seen.url, { waitUntil: "load" });
    await use(page, seen);
  } finally {
    await page.close();
  }
}

const measure = async (page: Page) => await page.evaluate<Measured>(MEASURE);

/** Half a pixel is a matter of rounding. */
const isWithin = (inner: Rectangle, outer: Rectangle) =>
  inner.left >= outer.left - 0.5 &&
  inner.right <= outer.right + 0.5 &&
  inner.top >= outer.top - 0.5 &&
  inner.bottom <= outer.bottom + 0.5;
const overlap = (one: Rectangle, other: Rectangle) =>
  Math.min(one.right, other.right) - Math.max(one.left, other.left) > 0.5 &&
  Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 0.5;
function pairs<T>(list: readonly T[]): [T, T][] {
  return list.flatMap((one, index) => list.slice(index + 1).map((other): [T, T] => [one, other]));
}

const CASES = Object.keys(FLEETS).flatMap((name) =>
  SCHEMES.map((colorScheme) => [name, colorScheme] as const),
);

describe.each(CASES)("%s, %s", (name, colorScheme) => {
  const picture = FLEETS[name] ?? SAMPLE;

  test("the page asks for nothing but itself, and the browser has nothing to complain of", async () => {
    await shown("page.html", fleetPage(picture), { colorScheme }, async (page, seen) => {
      expect(seen.requests).toEqual([seen.url]);
      expect(seen.complaints).toEqual([]);
      const { title, scripts } = await measure(page);
      expect({ title, scripts }).toEqual({ title: `stack ${picture.stack}`, scripts: 0 });
    });
  });

  test("each text stands within its box, in the picture, and on no other; no two boxes overlap", async () => {
    await shown("page.html", fleetPage(picture), { colorScheme }, async (page) => {
      const { texts, boxes, cards, svg } = await measure(page);
      expect(texts.filter(({ at, frame }) => !isWithin(at, frame)).map(({ text }) => text)).toEqual(
        [],
      );
      expect(texts.filter(({ at }) => !isWithin(at, svg)).map(({ text }) => text)).toEqual([]);
      const meeting = pairs(texts).filter(([one, other]) => overlap(one.at, other.at));
      expect(meeting.map(([one, other]) => [one.text, other.text])).toEqual([]);
      expect(pairs(boxes).filter(([one, other]) => overlap(one, other))).toEqual([]);
      expect(pairs(cards).filter(([one, other]) => overlap(one, other))).toEqual([]);
      const agents = picture.hosts.flatMap((host) => host.agents);
      expect(boxes).toHaveLength(agents.length + picture.hosts.length);
    });
  });

  test("each text is read well on its ground", async () => {
    await shown("page.html", fleetPage(picture), { colorScheme }, async (page) => {
      const { texts } = await measure(page);
      expect(texts.filter(({ fill, on }) => contrast(fill, on) < 4.5)).toEqual([]);
      const isDark = contrast(texts[0]?.on ?? "", "#ffffff") > 10;
      expect(isDark).toBe(colorScheme === "dark");
    });
  });

  test("who hears the page is told each agent, its host and its state", async () => {
    await shown("page.html", fleetPage(picture), { colorScheme }, async (page) => {
      const heard = await page.locator("body").ariaSnapshot();
      for (const { name: host, agents } of picture.hosts) {
        for (const agent of agents)
          expect(heard).toContain(`row "${agent.name} ${host} ${agent.state}`);
      }
    });
  });

  test("the picture alone is a file that the browser draws, asking for nothing else", async () => {
    await shown("fleet.svg", fleetSvg(picture), { colorScheme }, async (page, seen) => {
      expect(seen.requests).toEqual([seen.url]);
      expect(seen.complaints).toEqual([]);
      const { texts, scripts, svg } = await measure(page);
      expect(scripts).toBe(0);
      expect(texts.filter(({ at }) => !isWithin(at, svg))).toEqual([]);
      for (const { name: agent } of picture.hosts.flatMap(({ agents }) => agents))
        expect(texts.map(({ text }) => text)).toContain(agent);
    });
  });
});

test.each([1280, 400])("a window of %i pixels need not be scrolled sideways", async (width) => {
  for (const picture of Object.values(FLEETS)) {
    await shown("page.html", fleetPage(picture), { width }, async (page) => {
      expect((await measure(page)).overhang).toBeLessThanOrEqual(0);
    });
  }
});

test("even what were to get into the page sends no request", async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const foreign = `<img src="${base}/image"><script>fetch("${base}/script")</script></main>`;
  const page = fleetPage(SAMPLE).replace("</main>", foreign);
  try {
    await shown("page.html", page, {}, async () => Promise.resolve());
    expect(asked).toEqual([]);
    // Without the page's policy they do.
    await shown("page.html", page.replace(/<meta http-equiv[^>]*>/, ""), {}, async () =>
      Promise.resolve(),
    );
    expect(asked).toContain("/image");
  } finally {
    server.close();
  }
});
