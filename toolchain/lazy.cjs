"use strict";
/**
 * Loads parts of packages when they are first used, instead of at every start. Of the Pulumi SDK: what
 * writes functions into a state (the TypeScript compiler, npm's own code, a debugger), what runs other
 * programs (automation) and what sends traces. For a program that does any of it nothing changes, but
 * that an error about a function may not name its file.
 * Why, and what it saves: docs/decisions/0009-stand-ins-in-go.md.
 */
const Module = require("node:module");
const { sep } = require("node:path");

const PACKAGES = ["", "node_modules", ""].join(sep);
/** Modules by the file that requires them and only uses them within functions. */
const LATER = {
  // Nothing asks for it: it would look up the source of every stack that the SDK takes, several for
  // each resource, in sources that are not in the package.
  "@pulumi/pulumi/cmd/run/index.js": [
    "source-map-support/register",
    "../../runtime/closure/v8Hooks",
  ],
  "@pulumi/pulumi/index.js": ["./automation"],
  "@pulumi/pulumi/runtime/closure/serializeClosure.js": ["./createClosure"],
  "@pulumi/pulumi/runtime/closure/codePaths.js": ["@npmcli/arborist", "normalize-package-data"],
  "@pulumi/pulumi/cmd/run/tracing.js": [
    "@opentelemetry/exporter-zipkin",
    "@opentelemetry/instrumentation",
    "@opentelemetry/instrumentation-grpc",
    "@opentelemetry/resources",
    "@opentelemetry/sdk-trace-base",
    "@opentelemetry/sdk-trace-node",
  ],
  // The words for errors in fifty languages.
  "zod/v4/classic/external.cjs": ["../locales/index.cjs"],
  "zod/v4/core/index.cjs": ["../locales/index.cjs"],
};

/**
 * The runner waits until a debugger looks at every script, for the places that errors about functions in a
 * state name. To load it changes V8's flags, and code that was compiled before is no longer taken from the cache.
 */
const AT_ONCE = {
  "../../runtime/closure/v8Hooks": { isInitializedAsync: () => Promise.resolve() },
};

exports.loadLater = () => {
  const load = Module._load;
  Module._load = function (request, parent, ...rest) {
    const asking = (parent?.filename ?? "").split(PACKAGES).at(-1).replaceAll(sep, "/");
    return LATER[asking]?.includes(request)
      ? later(() => load.call(this, request, parent, ...rest), AT_ONCE[request])
      : load.call(this, request, parent, ...rest);
  };
};

/** Stands for a module until something of it is asked for that is not there at once. */
function later(load, atOnce = {}) {
  return new Proxy(atOnce, {
    get: (_, name) => {
      // TypeScript's imports copy what is not an ES module, which would load it.
      if (name === "__esModule") return true;
      if (Object.hasOwn(atOnce, name)) return atOnce[name];
      const module = load();
      // A module that is one function is its own default.
      return name === "default" && typeof module === "function" ? module : module[name];
    },
    has: (_, name) => name in load(),
  });
}
