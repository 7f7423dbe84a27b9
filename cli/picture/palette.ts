/** Colours of the pictures. Pure. */

/** Okabe and Ito's colours, which the colour-blind can tell apart too. */
export const OKABE_ITO = {
  orange: "#E69F00",
  skyBlue: "#56B4E9",
  green: "#009E73",
  yellow: "#F0E442",
  blue: "#0072B2",
  vermillion: "#D55E00",
  purple: "#CC79A7",
} as const;

/** What stands on what: text on each of the grounds, marks with an edge of `outline`. */
export interface Theme {
  /** Behind everything. */
  readonly page: string;
  /** Of a host. */
  readonly card: string;
  /** Of an agent, and of who reaches it. */
  readonly box: string;
  readonly edge: string;
  readonly text: string;
  readonly muted: string;
  readonly outline: string;
}

export const THEMES: Readonly<Record<"light" | "dark", Theme>> = {
  light: {
    page: "#ffffff",
    card: "#f1f4f7",
    box: "#ffffff",
    edge: "#7b8794",
    text: "#16191d",
    muted: "#4a5562",
    outline: "#16191d",
  },
  dark: {
    page: "#16191d",
    card: "#20262c",
    box: "#2b323a",
    edge: "#8894a0",
    text: "#f0f3f6",
    muted: "#b9c2cc",
    outline: "#16191d",
  },
};

/** On a mark's colour, in both themes. */
export const GLYPH = "#16191d";

/** CSS of the classes that pictures and pages use; dark where the reader's system is. */
export function styleSheet(rules: (theme: Theme) => string): string {
  return `${rules(THEMES.light)}\n@media (prefers-color-scheme: dark) {\n${rules(THEMES.dark)}\n}`;
}
