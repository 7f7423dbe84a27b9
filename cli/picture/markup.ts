/** Elements of SVG and HTML as text. Pure. */

/** An element; children are markup already, made by this function or by `escaped`. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly string[]
): string {
  const given = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escaped(String(value))}"`,
  );
  return `<${name}${given.join("")}>${children.join("")}</${name}>`;
}

/** Text that says itself: no markup, and nothing that XML cannot hold, such as a terminal's colours. */
export function escaped(text: string): string {
  return text
    .replace(UNPRINTABLE, "\ufffd")
    .replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}

const UNPRINTABLE = /[\p{Cc}\p{Cs}\ufffe\uffff]/gu;
