"use strict";
/**
 * Loads parts of the Pulumi SDK when they are first used, instead of at every start: what writes
 * functions into a state (the TypeScript compiler, npm's own code), what runs other programs
 * (automation) and what sends traces. For a program that does any of it nothing changes.
 * Why, and what it saves: docs/decisions/0009-stand-ins-in-go.md.
 */
const Module = require("node:module");
const { sep } = require("node:path");

const SDK = ["node_modules", "@pulumi", "pulumi", ""].join(sep);
/** Packages by the SDK's file that requires them and only uses them within functions. */
const LATER = {
  // Nothing asks for it: it would look up the source of every stack that the SDK takes, several for
  // each resource, in sources that are not in the package.
  "cmd/run/index.js": ["source-map-support/register"],
  "index.js": ["./automation"],
  "runtime/closure/parseFunction.js": ["../../typescript-shim"],
  "runtime/closure/codePaths.js": ["@npmcli/arborist"],
  "cmd/run/tracing.js": [
    "@opentelemetry/exporter-zipkin",
    "@opentelemetry/instrumentation",
    "@opentelemetry/instrumentation-grpc",
    "@opentelemetry/resources",
    "@opentelemetry/sdk-trace-base",
    "@opentelemetry/sdk-trace-node",
  ],
};

exports.loadLater = () => {
  const load = Module._load;
  Module._load = function (request, parent, ...rest) {
    const file = parent?.filename ?? "";
    const inSdk = file.slice(file.lastIndexOf(SDK) + SDK.length).replaceAll(sep, "/");
    return file.includes(SDK) && LATER[inSdk]?.includes(request)
      ? later(() => load.call(this, request, parent, ...rest))
      : load.call(this, request, parent, ...rest);
  };
};

/** Stands for a module until something of it is asked for. */
function later(load) {
  return new Proxy(
    {},
    {
      // TypeScript's imports copy what is not an ES module, which would load it.
      get: (_, name) => (name === "__esModule" ? true : load()[name]),
      has: (_, name) => name in load(),
    },
  );
}
