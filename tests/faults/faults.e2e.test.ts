/** The fault matrix on a real VM: all of it with FLEET_TESTS=faults, else the faults that are part of every run. */
import { readRecord } from "../../vm/record";
import { currentCommit } from "../e2e/support/results";
import { drive } from "./drive";
import { FAULTS } from "./faults";
import { SEED } from "./random";
import { keepResult, MADE } from "./results";
import { Scene } from "./scene";

const MINUTE = 60_000;
const always = FAULTS.filter(({ everyRun }) => everyRun);
const others = FAULTS.filter(({ everyRun }) => !everyRun);
// One of each kind first: a run that is ended early has seen them all.
const faults = process.env["FLEET_TESTS"] === "faults" ? [...always, ...others] : always;
/** Set by `./fleet test faults`. A run of a few rows may set it too: it keeps what is known of the others. */
const records = process.env["FLEET_FAULTS_RECORD"] === "1";

const commit = currentCommit(MADE);
const scene = new Scene();

beforeAll(async () => {
  process.stderr.write(`seed of the random moments: FLEET_FAULTS_SEED=${SEED}\n`);
  await scene.build();
}, 15 * MINUTE);

afterAll(async () => {
  await scene.remove();
}, 5 * MINUTE);

test.each(faults)(
  "$name: the next up puts all right",
  async (fault) => {
    const begun = Date.now();
    let passed = false;
    try {
      await drive(fault, scene);
      passed = true;
    } finally {
      const seconds = (Date.now() - begun) / 1000;
      const accel = readRecord(scene.vmFolder)?.accel ?? "an unknown accelerator";
      if (records) keepResult(fault.name, { passed, seconds }, { commit, seed: SEED, accel });
    }
  },
  20 * MINUTE,
);
