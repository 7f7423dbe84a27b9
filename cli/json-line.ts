/** What a host's script tells in one line of JSON; undefined for other lines, such as those of a login banner. */
export function jsonLine(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The same of one agent. */
export function agentLine(line: string): { readonly agent: string } | undefined {
  const value = jsonLine(line);
  return value !== undefined && "agent" in value && typeof value.agent === "string"
    ? { ...value, agent: value.agent }
    : undefined;
}
