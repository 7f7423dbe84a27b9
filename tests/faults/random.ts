/** Random moments that can be had again: FLEET_FAULTS_SEED=<seed>, which every run prints and the results keep. */
import { createHash, randomInt } from "node:crypto";

export const SEED = process.env["FLEET_FAULTS_SEED"] ?? String(randomInt(1_000_000));

/** A number from 0 to 1, the same for the same seed. */
export function randomShare(number: number, seed = SEED): number {
  const hash = createHash("sha256")
    .update(`${seed} ${String(number)}`)
    .digest();
  return hash.readUInt32BE() / 0xffffffff;
}
