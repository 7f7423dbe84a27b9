/** A fleet as an SVG picture, of its own or as a part of a page. Pure. */
import type { Picture } from "./facts";
import { layoutOf, SIZES, type AgentPlace, type Box, type HostPlace, type Line } from "./layout";
import { FONT } from "./lines";
import { markOf } from "./marks";
import { element, escaped } from "./markup";
import { GLYPH, styleSheet, type Theme } from "./palette";
import { wayIn } from "./way-in";

export function fleetSvg(picture: Picture): string {
  const { width, height, heading, legend, hosts } = layoutOf(picture);
  return element(
    "svg",
    {
      ...{
        xmlns: "http://www.w3.org/2000/svg",
        width,
        height,
        viewBox: `0 0 ${String(width)} ${String(height)}`,
      },
      ...{ role: "img", "aria-label": `The agents of stack ${picture.stack}, by host` },
    },
    element("style", {}, styleSheet(rules)),
    element("rect", { class: "page", width, height }),
    "\n",
    ...heading.map(textOf),
    ...legend.map(({ x, y, state, line }) => markAt(x, y, state) + textOf(line)),
    "\n",
    ...hosts.map((host) => `${hostOf(host)}\n`),
  );
}

function rules({ page, card, box, edge, text, muted, outline }: Theme): string {
  return [
    `svg text{font-family:${FONT};white-space:pre;fill:${text}}`,
    ...Object.entries(SIZES).map(([style, size]) => `svg .${style}{font-size:${String(size)}px}`),
    "svg .title,svg .strong{font-weight:bold}",
    `svg .muted{fill:${muted}}`,
    `svg .page{fill:${page}}`,
    `svg .card .frame{fill:${card};stroke:${edge}}`,
    `svg .box .frame{fill:${box};stroke:${edge}}`,
    `svg .shape{stroke:${outline}}`,
    `svg .glyph{fill:none;stroke:${GLYPH};stroke-width:2}`,
    `svg .way{fill:none;stroke:${text};stroke-width:2}`,
    `svg .tunnel{stroke-width:6}`,
    `svg .broken{stroke-dasharray:5 5}`,
    `svg .head{fill:${text}}`,
    `svg .wall{fill:${edge}}`,
    `svg .mortar{stroke:${card};stroke-width:1.5}`,
  ].join("\n");
}

function hostOf({ host, way, card, agents }: HostPlace): string {
  return element(
    "g",
    {},
    boxOf(card, "card"),
    wayIn(host, way, card),
    boxOf(way, "box"),
    ...agents.map((agent) => `\n${agentOf(agent)}`),
  );
}

function agentOf(place: AgentPlace): string {
  const { agent, x, y, height } = place;
  const told = [agent.name, agent.state, ...(agent.note === null ? [] : [agent.note])].join(": ");
  return element(
    "g",
    { class: "box" },
    element("title", {}, escaped(told)),
    frame(place),
    element("path", {
      d: ["M", x + 3, y + 6, "v", height - 12].join(" "),
      stroke: markOf(agent.state).colour,
      "stroke-width": 4,
    }),
    markAt(x + 16, y + 12, agent.state),
    ...place.lines.map(textOf),
  );
}

function boxOf(box: Box, kind: "card" | "box"): string {
  return element("g", { class: kind }, frame(box), ...box.lines.map(textOf));
}

function frame({ x, y, width, height }: Box): string {
  return element("rect", { class: "frame", x, y, width, height, rx: 6 });
}

function markAt(x: number, y: number, state: string): string {
  const { colour, shape, glyph } = markOf(state);
  return element(
    "g",
    { transform: `translate(${String(x)} ${String(y)})` },
    element("path", { class: "shape", fill: colour, d: shape }),
    element("path", { class: "glyph", d: glyph }),
  );
}

function textOf({ x, y, text, style }: Line): string {
  return element("text", { class: style, x, y }, escaped(text));
}
