"use strict";

/**
 * `npx jest` runs the unit tests; FLEET_TESTS=e2e the scenarios on a real VM (*.e2e.test.ts), FLEET_TESTS=engine those
 * with a real Pulumi engine (tests/engine); FLEET_TESTS=browser those in a real browser; FLEET_TESTS=faults the whole
 * fault matrix, FLEET_TESTS=systems the claims of every system, FLEET_TESTS=image the agent-ready image,
 * FLEET_TESTS=mixed agents of three kinds on one VM. Types are checked by tsc, so ts-jest only transpiles.
 */
const layer = process.env["FLEET_TESTS"] ?? "unit";
/** A folder whose tests cannot run on this machine; `./fleet test` says why. */
const without = process.env["FLEET_TESTS_WITHOUT"];

const layers = {
  unit: {
    testMatch: ["**/*.test.ts"],
    ignore: ["\\.e2e\\.test\\.ts$", "<rootDir>/tests/engine/", "<rootDir>/tests/browser/"],
  },
  browser: { testMatch: ["<rootDir>/tests/browser/*.test.ts"], ignore: [] },
  engine: { testMatch: ["<rootDir>/tests/engine/**/*.test.ts"], ignore: ["\\.e2e\\.test\\.ts$"] },
  e2e: {
    testMatch: ["**/*.e2e.test.ts"],
    ignore: ["<rootDir>/tests/systems/", "<rootDir>/tests/image/", "<rootDir>/tests/mixed/"],
  },
  systems: { testMatch: ["<rootDir>/tests/systems/*.e2e.test.ts"], ignore: [] },
  image: { testMatch: ["<rootDir>/tests/image/*.e2e.test.ts"], ignore: [] },
  mixed: { testMatch: ["<rootDir>/tests/mixed/*.e2e.test.ts"], ignore: [] },
  faults: { testMatch: ["<rootDir>/tests/faults/*.e2e.test.ts"], ignore: [] },
};
const { testMatch, ignore } = layers[layer];

/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  rootDir: __dirname,
  roots: ["<rootDir>/tests"],
  testMatch,
  testPathIgnorePatterns: ["/node_modules/", ...ignore, ...(without ? [without] : [])],
  modulePathIgnorePatterns: ["<rootDir>/.fleet/"],
  transform: {
    "\\.ts$": [
      "ts-jest",
      {
        diagnostics: false,
        tsconfig: {
          isolatedModules: true,
          target: "es2022",
          module: "commonjs",
          esModuleInterop: true,
        },
      },
    ],
  },
  testSequencer: "<rootDir>/cli/testing/longest-first.cjs",
  testTimeout: layer === "unit" ? 30_000 : 600_000,
  reporters: layer === "unit" ? ["default"] : ["default", "<rootDir>/cli/testing/progress.cjs"],
};
