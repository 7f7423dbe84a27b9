/** The cases as bars with their spread, on a logarithmic scale: a no-op and a first install differ a hundredfold. Pure. */
import { OKABE_ITO } from "../cli/picture/palette";
import { measured } from "./page";
import { CASES, METHODS, type Case, type Method, type Results } from "./results";

const COLOURS: Readonly<Record<Method, string>> = {
  fleet: OKABE_ITO.blue,
  ansible: OKABE_ITO.orange,
  floor: OKABE_ITO.green,
};

const LEFT = 200;
const PLOT = 520;
const BAR = 20;
const GROUP = 84;
const TOP = 56;
const TICKS = [1, 3, 10, 30, 100, 300, 1000];
/** Seconds at both ends of the scale. */
const SCALE = [0.5, 1200] as const;

export function benchmarksPlot({ installs }: Results): string {
  const methods = (Object.keys(METHODS) as Method[]).filter((name) => name in installs);
  const cases = Object.keys(CASES) as Case[];
  const width = LEFT + PLOT + 70;
  const bottom = TOP + cases.length * GROUP;
  const height = bottom + 44;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}" viewBox="0 0 ${String(width)} ${String(height)}" role="img" aria-label="Seconds of each method in each case">`,
    `<rect width="${String(width)}" height="${String(height)}" fill="#ffffff"/>`,
    `<g font-family="system-ui, sans-serif" font-size="13" fill="#1a1a1a">`,
    ...methods.map((method, index) => legend(method, LEFT + index * 130)),
    ...TICKS.map((tick) => gridLine(tick, bottom)),
    `<text x="${String(LEFT)}" y="${String(bottom + 38)}">seconds, logarithmic; bar: median, line: least to most</text>`,
    ...cases.flatMap((name, index) => group(installs, methods, name, TOP + index * GROUP)),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function legend(method: Method, x: number): string {
  return `<rect x="${String(x)}" y="16" width="14" height="14" fill="${COLOURS[method]}"/><text x="${String(x + 20)}" y="28">${METHODS[method]}</text>`;
}

function gridLine(seconds: number, bottom: number): string {
  const x = at(seconds).toFixed(1);
  return `<line x1="${x}" y1="${String(TOP - 8)}" x2="${x}" y2="${String(bottom)}" stroke="#d0d0d0"/><text x="${x}" y="${String(bottom + 18)}" text-anchor="middle">${String(seconds)}</text>`;
}

function group(
  installs: Results["installs"],
  methods: readonly Method[],
  name: Case,
  top: number,
): string[] {
  const middle = top + (methods.length * (BAR + 2)) / 2 + 4;
  return [
    `<text x="${String(LEFT - 10)}" y="${middle.toFixed(1)}" text-anchor="end">${CASES[name]}</text>`,
    ...methods.map((method, index) => bar(installs, method, name, top + index * (BAR + 2))),
  ];
}

function bar(installs: Results["installs"], method: Method, name: Case, y: number): string {
  const value = measured(installs, method, name);
  if (value === undefined) return "";
  const [least, median, most] = [value.least, value.median, value.most].map(at);
  const line = y + BAR / 2;
  return [
    `<rect x="${String(LEFT)}" y="${String(y)}" width="${((median ?? LEFT) - LEFT).toFixed(1)}" height="${String(BAR)}" fill="${COLOURS[method]}"/>`,
    `<line x1="${(least ?? 0).toFixed(1)}" y1="${String(line)}" x2="${(most ?? 0).toFixed(1)}" y2="${String(line)}" stroke="#1a1a1a" stroke-width="2"/>`,
    `<text x="${((most ?? 0) + 8).toFixed(1)}" y="${String(line + 5)}">${value.median.toFixed(1)}</text>`,
  ].join("");
}

function at(seconds: number): number {
  const [from, to] = SCALE;
  return LEFT + (Math.log(Math.max(from, seconds) / from) / Math.log(to / from)) * PLOT;
}
