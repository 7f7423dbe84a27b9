"use strict";
/**
 * Keeps the compiled form of every module between runs: loading the Pulumi SDK is mostly compiling
 * it. Node 22 does this itself; for Node 20 it is done here, with the same V8 feature. (The package
 * v8-compile-cache cannot be used: modules that it loads may not use import().)
 *
 * V8 refuses a compiled form of another version of itself or of a source of another length. What it
 * does not see, a source that changed and kept its length, is covered by the cache's key: the
 * version of Node and the text of package-lock.json. Our own files have their content in their name.
 */
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { dirname, join } = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");

const ROOT = join(__dirname, "..");

/** Uses and extends the cache below `folder`. `name` tells programs apart that load other modules. */
exports.useCompileCache = (folder, name) => {
  if (Module.enableCompileCache !== undefined) {
    Module.enableCompileCache(folder);
    return;
  }
  const lock = readFileSync(join(ROOT, "package-lock.json"));
  const key = createHash("sha256").update(`${process.version}\0${name}\0`).update(lock);
  const file = join(folder, `${key.digest("hex").slice(0, 32)}.bin`);
  const known = read(file);
  const added = new Map();

  const compile = Module.prototype._compile;
  Module.prototype._compile = function (content, filename) {
    if (!isKept(filename, content)) {
      return compile.call(this, content, filename);
    }
    const cachedData = known.get(filename);
    const script = new vm.Script(Module.wrap(content.replace(/^#!.*/, "")), {
      filename,
      cachedData,
    });
    if (cachedData === undefined || script.cachedDataRejected) {
      added.set(filename, script);
    }
    const require = Module.createRequire(filename);
    require.main = process.mainModule;
    const run = script.runInThisContext();
    return run.call(this.exports, this.exports, require, this, filename, dirname(filename));
  };

  process.once("exit", () => {
    // At the end, so that functions which were compiled when first called are in it too.
    if (added.size > 0) {
      const all = [
        ...known,
        ...[...added].map(([path, script]) => [path, script.createCachedData()]),
      ];
      write(file, v8.serialize(new Map(all)));
    }
  });
};

/** Our own files change without a new lock. A compiled form cannot call import(). */
function isKept(filename, content) {
  return filename.includes("/node_modules/") && !content.includes("import(");
}

function read(file) {
  try {
    return v8.deserialize(readFileSync(file));
  } catch {
    return new Map();
  }
}

function write(file, content) {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const beside = `${file}.${process.pid}`;
    writeFileSync(beside, content);
    renameSync(beside, file);
  } catch {
    // Only slower the next time.
  }
}
