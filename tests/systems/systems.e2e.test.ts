/** The claims of every system, each on a VM of its own: ./fleet test systems. Of one alone: `npx jest -t 'Debian 13'`. */
import { currentCommit } from "../e2e/support/results";
import { keepResult, MADE, nameOf } from "./results";
import { Scene } from "./scene";
import { claimsOf, SYSTEMS } from "./systems";

const MINUTE = 60_000;
/** Set by `./fleet test systems`. A run of some systems may set it too: it keeps what is known of the others. */
const records = process.env["FLEET_SYSTEMS_RECORD"] === "1";
const commit = currentCommit(MADE);

describe.each(SYSTEMS)("$name", (system) => {
  let scene: Scene;
  /** One that does not hold leaves the machine in a state that the claims behind it were not made for. */
  let broken: string | undefined;

  beforeAll(async () => {
    scene = new Scene(system);
    await scene.build();
  }, 15 * MINUTE);

  afterAll(async () => {
    await scene.remove();
  }, 5 * MINUTE);

  test.each(claimsOf(system))(
    "$text",
    async ({ text, holds }) => {
      if (broken !== undefined) throw new Error(`not tried: before it failed "${broken}"`);
      broken = text;
      let passed = false;
      try {
        await holds(scene);
        passed = true;
        broken = undefined;
      } finally {
        if (records) keepResult(nameOf(system.name, text), passed, commit, scene.machine.accel);
      }
    },
    20 * MINUTE,
  );
});
