/** Made-up results of a run. */
import type { Results } from "../../bench/results";

export const RESULTS = {
  begun: "2026-02-03T04:05:06.000Z",
  commit: "abc1234",
  machine: {
    processor: "Imaginary 9000",
    cores: 2,
    memoryGiB: 24,
    system: "Linux 6.1",
    accel: "tcg",
    vm: "Debian 12, 2 CPUs, 1 GiB",
    loadBefore: 0.1,
  },
  versions: { Pulumi: "3.225.0" },
  installs: {
    fleet: { first: [26, 24, 25], nothing: [2, 2.5, 1.5], env: [5], release: [9] },
    ansible: { first: [100], nothing: [40], env: [50], release: [60] },
    floor: { first: [20], nothing: [1], env: [4], release: [7] },
  },
  previews: [
    { agents: 10, seconds: [3], peakMiB: [200], largest: "program", resources: 48 },
    { agents: 100, seconds: [5], peakMiB: [300], largest: "program", resources: 426 },
    {
      agents: 1000,
      seconds: [31, 29, 33],
      peakMiB: [900, 1000],
      largest: "program",
      resources: 4251,
    },
  ],
} satisfies Results;
