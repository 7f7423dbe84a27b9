/** Lines of KEY='value' in the order given; a shell that sources them runs nothing. */
export function assignments(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join("");
}
