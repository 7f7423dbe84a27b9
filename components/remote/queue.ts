/** Whose turn it is on one host. */

/**
 * Steps that may run at once on one host. sshd as installed (MaxStartups 10:30:100) starts to turn
 * connections away at random at its tenth that has not logged in yet, and strangers who try
 * passwords count too. Four keep a host busy and leave room for them and for the operator.
 */
export const STEPS_AT_ONCE = 4;

/** The steps of one host in the order in which they were made. */
export class Queue<Step> {
  readonly #steps: Step[] = [];

  /** The step that must have ended before the next one begins; none while there is room. */
  before(): readonly Step[] {
    return this.#steps.slice(-STEPS_AT_ONCE, 1 - STEPS_AT_ONCE);
  }

  add(step: Step): void {
    this.#steps.push(step);
  }
}
