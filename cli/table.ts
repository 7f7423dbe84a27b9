/**
 * A table as text: columns as wide as their widest cell, two spaces between them, no trailing white space.
 * Rows with fewer cells than the heading are filled up with nothing.
 */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heading.map((title) => title.toUpperCase()), ...rows];
  const widths = heading.map((_, column) =>
    Math.max(...lines.map((cells) => (cells[column] ?? "").length)),
  );
  return lines
    .map((cells) =>
      widths
        .map((most, column) => {
          const cell = cells[column] ?? "";
          return cell + " ".repeat(most - cell.length);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
