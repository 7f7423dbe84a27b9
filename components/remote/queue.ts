/** Whose turn it is on one host. */

/**
 * Steps that may run at once on one host. sshd as installed (MaxStartups 10:30:100) starts to turn
 * connections away at random at its tenth that has not logged in yet, and strangers who try
 * passwords count too. Four keep a host busy and leave room for them and for the operator.
 */
export const STEPS_AT_ONCE = 4;

/** The steps of one host in that many lanes, in each one after another. */
export class Queue<Step> {
  /** The last step of each lane, the one that was added longest ago first. */
  readonly #last: Step[] = [];

  /**
   * The step that must have ended before one that waits for `after` begins; none while there is room. Behind a
   * step that it waits for anyway it takes no other's turn: an upload holds up what needs it, and nothing else.
   */
  before(after: readonly Step[]): readonly Step[] {
    const lane = this.#laneFor(after);
    return lane === -1 ? [] : this.#last.slice(lane, lane + 1);
  }

  add(step: Step, after: readonly Step[]): void {
    const lane = this.#laneFor(after);
    if (lane !== -1) this.#last.splice(lane, 1);
    this.#last.push(step);
  }

  /** Index of the lane behind whose last step it comes; -1 for a lane of its own. */
  #laneFor(after: readonly Step[]): number {
    const own = this.#last.findIndex((last) => after.includes(last));
    return own === -1 && this.#last.length === STEPS_AT_ONCE ? 0 : own;
  }
}
