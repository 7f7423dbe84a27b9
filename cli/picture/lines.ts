/** How much room text takes. Nothing measures it where no browser is, so that all of it is in a font of one width. Pure. */

export const FONT =
  "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";

/** Of a letter, in parts of the font's size: a little more than the widest of these fonts has. */
const ADVANCE = 0.62;

export function textWidth(text: string, size: number): number {
  return columns(text) * size * ADVANCE;
}

/** Lines that fit, broken at spaces, else behind a dash, else anywhere. Other white space is a letter like any. */
export function wrapped(text: string, width: number, size: number): string[] {
  const most = Math.max(1, Math.floor(width / (size * ADVANCE)));
  const lines = [""];
  for (const part of text.split(/(?<= )/).flatMap((word) => pieces(word, most))) {
    const line = lines.at(-1) ?? "";
    if (line === "" || columns(trimmed(line + part)) <= most) lines.splice(-1, 1, line + part);
    else lines.push(part);
  }
  return lines.map(trimmed);
}

/** Without the spaces around it. `trim` would take the white space that no line is broken at. */
function trimmed(text: string): string {
  return text.replace(/^ +| +$/g, "");
}

/** A word as a whole where it fits. */
function pieces(word: string, most: number): string[] {
  if (columns(trimmed(word)) <= most) return [word];
  return word.split(/(?<=-)/).flatMap((part) => {
    const found = [""];
    for (const letter of part) {
      const piece = found.at(-1) ?? "";
      if (columns(piece + letter) <= most) found.splice(-1, 1, piece + letter);
      else found.push(letter);
    }
    return found;
  });
}

/** Letters of East Asia and pictograms are as wide as two. */
function columns(text: string): number {
  return Array.from(text).reduce((sum, letter) => sum + (WIDE.test(letter) ? 2 : 1), 0);
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;
