"use strict";

const { relative } = require("node:path");
const Sequencer = require("@jest/test-sequencer").default;

/** Files that are not in the order, those of the other layers among them, come behind it as Jest has them. */
module.exports = class LongestFirst extends Sequencer {
  /** Stories on VMs in the order in which they begin: a long one that begins last is waited for by all the others. */
  static ORDER = [
    "tests/e2e/local-vm.e2e.test.ts",
    "tests/e2e/fleet.e2e.test.ts",
    "tests/e2e/ssh-host.e2e.test.ts",
    "tests/e2e/agent-kinds.e2e.test.ts",
    "tests/e2e/tunnel.e2e.test.ts",
    "tests/faults/faults.e2e.test.ts",
    "tests/e2e/cloud.e2e.test.ts",
    "tests/e2e/manual-install.e2e.test.ts",
    "tests/vm/boot.e2e.test.ts",
    "tests/e2e/own-agent.e2e.test.ts",
  ];

  sort(tests) {
    const place = ({ path, context }) => {
      const at = LongestFirst.ORDER.indexOf(relative(context.config.rootDir, path));
      return at === -1 ? LongestFirst.ORDER.length : at;
    };
    return [...super.sort(tests)].sort((one, other) => place(one) - place(other));
  }
};
