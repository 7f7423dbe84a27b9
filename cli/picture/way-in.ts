/** The wall that a host's firewall is, and what leads to the agents through it. Pure. */
import type { PictureHost } from "./facts";
import type { Box } from "./layout";
import { element } from "./markup";

/** Along the host's left edge; and a brick's height. */
const WALL = 16;
const BRICK = 8;
/** Half of the hole in the wall that a way in goes through. */
const HOLE = 11;

/** What stands between who reaches the agents and their host. */
export function wayIn({ firewall, way: { kind } }: PictureHost, from: Box, card: Box): string {
  const y = Math.round(from.y + Math.min(from.height, card.height) / 2);
  const bottom = card.y + card.height;
  const isWalled = firewall === true;
  const hasHole = kind === "open" || kind === "tunnel";
  const holes = hasHole ? [y - HOLE, y + HOLE] : [];
  const [first = bottom, second] = holes;
  const wall = [
    bricks(card.x, card.y, first),
    ...(second === undefined ? [] : [bricks(card.x, second, bottom)]),
  ];
  const end = card.x + (isWalled ? WALL / 2 : 0);
  return [...(isWalled ? wall : []), arrow(kind, from.x + from.width, end, y)].join("");
}

/** Each course is shifted against the one below it. */
function bricks(middle: number, top: number, bottom: number): string {
  const x = middle - WALL / 2;
  const height = bottom - top;
  const joints = Array.from({ length: Math.ceil(height / BRICK) }, (_, course) => {
    const y = top + course * BRICK;
    const joint = x + (course % 2 === 0 ? WALL / 4 : (WALL / 4) * 3);
    return ["M", x, y, "h", WALL, "M", joint, y, "V", Math.min(y + BRICK, bottom)].join(" ");
  });
  return (
    element("rect", { class: "wall", x, y: top, width: WALL, height }) +
    element("path", { class: "mortar", d: joints.join("") })
  );
}

/** Where nobody gets in, it ends before the host. */
function arrow(kind: PictureHost["way"]["kind"], from: number, to: number, y: number): string {
  const line = (end: number, more: string): string =>
    element("path", { class: `way ${more}`, d: ["M", from, y, "H", end].join(" ") });
  const cross = element("path", {
    class: "way",
    d: ["M", to - 32, y - 6, "l 12 12 m 0 -12 l -12 12"].join(" "),
  });
  switch (kind) {
    case "open":
      return (
        line(to, "") +
        element("path", { class: "head", d: ["M", to + 2, y, "l -12 -6 v 12 z"].join(" ") })
      );
    case "tunnel":
      return line(to, "tunnel");
    case "down":
      return line(to - 38, "broken") + cross;
    case "unknown":
      return line(to - 20, "broken");
    case "closed":
      return cross;
  }
}
