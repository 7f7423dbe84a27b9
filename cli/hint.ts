/** What the engine says of a failed step, and what it means for a host of this name. */
export type Hint = readonly [pattern: RegExp, meaning: (host: string) => string];
