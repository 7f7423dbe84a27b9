"use strict";
/**
 * Lets Node load this project's TypeScript: `node --require ./toolchain/transpile.cjs file.ts`.
 * esbuild takes the types away once per version of a file; afterwards the result is read from
 * .fleet/cache, so that a start costs no more than that of plain JavaScript. Why not tsx: see
 * docs/decisions/0002-transpile-hook.md. Types are checked by `npm run check`.
 */
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { basename, join } = require("node:path");
const { useCompileCache } = require("./compile-cache.cjs");
const { loadLater } = require("./lazy.cjs");

const CACHE = join(__dirname, "..", ".fleet", "cache", "js");
loadLater();
useCompileCache(join(CACHE, "..", "compiled"), basename(process.argv[1] ?? ""));

require.extensions[".ts"] = (module, file) => {
  const source = readFileSync(file, "utf8");
  const key = createHash("sha256").update(`${process.version}\0${file}\0`).update(source);
  const kept = join(CACHE, `${key.digest("hex").slice(0, 32)}.js`);
  module._compile(read(kept) ?? transpile(file, source, kept), file);
};

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function transpile(file, source, kept) {
  const { code } = require("esbuild").transformSync(source, {
    loader: "ts",
    format: "cjs",
    target: "node20",
    sourcefile: file,
    // A lazy import becomes a lazy require, which this hook sees.
    supported: { "dynamic-import": false },
  });
  mkdirSync(CACHE, { recursive: true });
  // Renamed when whole, so that a parallel run never reads half of it.
  const beside = `${kept}.${process.pid}`;
  writeFileSync(beside, code);
  renameSync(beside, kept);
  return code;
}
