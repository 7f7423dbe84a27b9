/**
 * Where everything stands, in whole pixels: for each host a row, on the left who reaches its agents, on the right the host
 * with its agents in a grid. Nothing is cut off: what is too wide is wrapped, and boxes grow. Pure.
 */
import type { Picture, PictureAgent, PictureHost } from "./facts";
import { textWidth, wrapped } from "./lines";

export type Style = "title" | "strong" | "plain" | "muted";

export interface Line {
  readonly x: number;
  /** Of the base line. */
  readonly y: number;
  readonly text: string;
  readonly style: Style;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly Line[];
}

export interface AgentPlace extends Box {
  readonly agent: PictureAgent;
}

export interface HostPlace {
  readonly host: PictureHost;
  readonly way: Box;
  readonly card: Box;
  readonly agents: readonly AgentPlace[];
}

export interface LegendPlace {
  readonly x: number;
  readonly y: number;
  readonly state: string;
  readonly line: Line;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly heading: readonly Line[];
  readonly legend: readonly LegendPlace[];
  readonly hosts: readonly HostPlace[];
}

export const SIZES: Readonly<Record<Style, number>> = {
  title: 20,
  strong: 14,
  plain: 13,
  muted: 12,
};
/** The square of a mark, left of the text that it belongs to. */
const MARK = 16;

const WIDTH = 1080;
const EDGE = 24;
const GAP = 12;
const PADDING = 14;
const WAY_WIDTH = 210;
/** Between who reaches the agents and the host: the arrow. */
const ARROW = 76;
const CARD_X = EDGE + WAY_WIDTH + ARROW;
const CARD_WIDTH = WIDTH - EDGE - CARD_X;
const MOST_COLUMNS = 3;
/** From a host's left edge to what is in it: the wall, and the head of an arrow that goes through. */
const CARD_INDENT = 26;
const INNER_X = CARD_X + CARD_INDENT;
const INNER_WIDTH = CARD_WIDTH - CARD_INDENT - PADDING;
/** From an agent's edge to its text: stripe and mark. */
const INDENT = 44;

export function layoutOf(picture: Picture): Layout {
  const heading = column(EDGE, EDGE, WIDTH - 2 * EDGE, [
    [`stack ${picture.stack}`, "title"],
    [`${summaryOf(picture)}, as of ${picture.time}`, "muted"],
  ]);
  const legend = legendOf(picture, heading.bottom + GAP);
  let y = (legend.at(-1)?.y ?? heading.bottom) + MARK + EDGE;
  const hosts = picture.hosts.map((host) => {
    const place = hostPlace(host, y);
    y += Math.max(place.card.height, place.way.height) + EDGE;
    return place;
  });
  return { width: WIDTH, height: y, heading: heading.lines, legend, hosts };
}

function summaryOf({ hosts }: Picture): string {
  const agents = hosts.reduce((sum, host) => sum + host.agents.length, 0);
  const some = (count: number, what: string): string =>
    `${String(count)} ${what}${count === 1 ? "" : "s"}`;
  return `${some(hosts.length, "host")}, ${some(agents, "agent")}`;
}

/** Each state that there is, with how many are in it. */
function legendOf({ hosts }: Picture, top: number): LegendPlace[] {
  const counts = new Map<string, number>();
  for (const { state } of hosts.flatMap(({ agents }) => agents))
    counts.set(state, (counts.get(state) ?? 0) + 1);
  let [x, y] = [EDGE, top];
  return [...counts].map(([state, count]) => {
    const text = `${String(count)} ${state}`;
    const width = MARK + 8 + Math.ceil(textWidth(text, SIZES.plain)) + EDGE;
    if (x > EDGE && x + width > WIDTH) [x, y] = [EDGE, y + MARK + GAP];
    const place = { x, y, state, line: lineAt(x + MARK + 8, y + 13, text, "plain") };
    x += width;
    return place;
  });
}

function hostPlace(host: PictureHost, top: number): HostPlace {
  const head = column(INNER_X, top + PADDING, INNER_WIDTH, [
    [`${host.name} · ${host.provider}`, "strong"],
    [host.ssh, "muted"],
    [firewallText(host), "muted"],
    ...(host.reason === null ? [] : [[`no report: ${host.reason}`, "plain"] as const]),
    ...(host.agents.length === 0 ? [["no agents", "muted"] as const] : []),
  ]);
  const grid = gridOf(host.agents, head.bottom + GAP);
  const card = {
    ...{ x: CARD_X, y: top, width: CARD_WIDTH, lines: head.lines },
    height: grid.bottom + PADDING - top,
  };
  const way = column(EDGE + PADDING, top + PADDING, WAY_WIDTH - 2 * PADDING, [
    ["reached by", "muted"],
    [host.way.from, "strong"],
    ...host.way.details.map((detail) => [detail, "muted"] as const),
  ]);
  const height = way.bottom + PADDING - top;
  return {
    ...{ host, card, agents: grid.agents },
    way: { x: EDGE, y: top, width: WAY_WIDTH, height, lines: way.lines },
  };
}

function firewallText({ firewall, way }: PictureHost): string {
  if (firewall === null) return "firewall: not known";
  if (!firewall) return "firewall: none of this stack";
  return way.kind === "open"
    ? "firewall: agents' ports closed to all others"
    : "firewall: agents' ports closed";
}

/** As many columns as leave each name in one line. */
function gridOf(
  agents: readonly PictureAgent[],
  top: number,
): { agents: AgentPlace[]; bottom: number } {
  const widest = Math.max(0, ...agents.map(({ name }) => textWidth(name, SIZES.strong)));
  const fitting = Math.floor((INNER_WIDTH + GAP) / (widest + INDENT + PADDING + GAP));
  const count = Math.min(MOST_COLUMNS, Math.max(1, fitting));
  const width = Math.floor((INNER_WIDTH - (count - 1) * GAP) / count);
  const places: AgentPlace[] = [];
  let y = top;
  for (let first = 0; first < agents.length; first += count) {
    const row = agents.slice(first, first + count).map((agent, index) => {
      const x = INNER_X + index * (width + GAP);
      const text = column(x + INDENT, y + 10, width - INDENT - PADDING, [
        [agent.name, "strong"],
        [stateText(agent), "plain"],
        [agent.port === null ? "no port" : `port ${String(agent.port)}`, "muted"],
      ]);
      return { agent, x, text };
    });
    const height = Math.max(...row.map(({ text }) => text.bottom)) + 10 - y;
    places.push(
      ...row.map(({ agent, x, text }) => ({ agent, x, y, width, height, lines: text.lines })),
    );
    y += height + GAP;
  }
  return { agents: places, bottom: agents.length === 0 ? top - GAP : y - GAP };
}

/** `available, 2 jobs` */
function stateText({ state, jobs }: PictureAgent): string {
  return jobs === null
    ? state
    : `${state}, ${String(jobs)} ${String(jobs) === "1" ? "job" : "jobs"}`;
}

/** Texts below each other. */
function column(
  x: number,
  top: number,
  width: number,
  texts: readonly (readonly [text: string, style: Style])[],
): { lines: Line[]; bottom: number } {
  let bottom = top;
  const lines = texts.flatMap(([text, style]) =>
    wrapped(text, width, SIZES[style]).map((part) => {
      bottom += Math.round(SIZES[style] * 1.45);
      return lineAt(x, bottom - Math.round(SIZES[style] * 0.4), part, style);
    }),
  );
  return { lines, bottom };
}

function lineAt(x: number, y: number, text: string, style: Style): Line {
  return { x, y, text, style };
}
