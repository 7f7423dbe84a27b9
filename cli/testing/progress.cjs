"use strict";

const { relative } = require("node:path");

const MARKS = { passed: "✓", failed: "✕" };

/** Of what a failed test has said; Jest tells the rest when its file has ended. */
const LINES = 12;

/** Tells of each test when it ends: a story on a VM takes minutes, and Jest tells of it only when its file has ended. */
module.exports = class Progress {
  constructor({ rootDir }) {
    this.rootDir = rootDir;
  }

  onTestCaseResult({ path }, { status, title, duration, failureMessages }) {
    const mark = MARKS[status] ?? "○";
    const file = relative(this.rootDir, path).replace(/^tests\/|(\.e2e)?\.test\.ts$/g, "");
    const seconds = ((duration ?? 0) / 1000).toFixed(1);
    process.stderr.write(`  ${mark} ${file}: ${title} (${seconds} s)\n`);
    for (const message of failureMessages ?? []) {
      const lines = message
        .split("\n")
        .filter((line) => !line.includes("/node_modules/"))
        .slice(0, LINES);
      process.stderr.write(lines.map((line) => `      ${line}\n`).join(""));
    }
  }
};
