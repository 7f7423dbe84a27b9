/** What a command is given. */
export interface Context {
  readonly stack: string;
  /** No questions. */
  readonly yes: boolean;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}
