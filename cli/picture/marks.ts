/** How an agent's state looks: a colour and a shape, beside its word. Pure. */
import { NOT_REACHED } from "./facts";
import { OKABE_ITO } from "./palette";

export interface Mark {
  readonly colour: string;
  /** SVG paths in a square of 16: what is filled, and what is drawn on it. */
  readonly shape: string;
  readonly glyph: string;
}

const CIRCLE = "M8 1a7 7 0 1 0 0 14a7 7 0 1 0 0-14z";
const SQUARE = "M2 2h12v12H2z";

const MARKS: Readonly<Record<string, Mark>> = {
  available: { colour: OKABE_ITO.green, shape: CIRCLE, glyph: "M4.5 8.5l2.5 2.5l4.5-5.5" },
  full: { colour: OKABE_ITO.skyBlue, shape: "M8 0.5L15.5 8L8 15.5L0.5 8z", glyph: "M5 8h6" },
  starting: { colour: OKABE_ITO.yellow, shape: CIRCLE, glyph: "M8 4v4l3 2" },
  stopped: { colour: OKABE_ITO.yellow, shape: SQUARE, glyph: "M6 5v6M10 5v6" },
  disabled: { colour: "#a3adb8", shape: SQUARE, glyph: "M5 8h6" },
  unreachable: {
    colour: OKABE_ITO.purple,
    shape: "M4.5 1h7L15 8l-3.5 7h-7L1 8z",
    glyph: "M6 6.2a2 2 0 1 1 2 2.3v1.3M8 11.8v0.7",
  },
  [NOT_REACHED]: {
    colour: OKABE_ITO.orange,
    shape: "M8 0.8L15.6 15H0.4z",
    glyph: "M8 5.5v4.5M8 12v0.8",
  },
};

/** Of what is not well, whatever its health calls it. */
const NOT_WELL: Mark = {
  colour: OKABE_ITO.vermillion,
  shape: "M5 1h6l4 4v6l-4 4h-6l-4-4V5z",
  glyph: "M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6",
};

export function markOf(state: string): Mark {
  return Object.hasOwn(MARKS, state) ? (MARKS[state] ?? NOT_WELL) : NOT_WELL;
}
