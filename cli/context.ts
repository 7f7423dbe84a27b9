/** What a command is given. */
export interface Context {
  readonly stack: string;
  /** No questions. */
  readonly yes: boolean;
  readonly args: readonly string[];
  /** Those of `args` that stood behind `--`. */
  readonly behind: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}
