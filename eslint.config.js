"use strict";

const pulumi = require("@pulumi/eslint-plugin");
const { defineConfig, globalIgnores } = require("eslint/config");
const typescript = require("typescript-eslint");

module.exports = defineConfig(globalIgnores([".fleet/", "coverage/", "node_modules/"]), {
  files: ["**/*.ts"],
  extends: [typescript.configs.strictTypeChecked],
  plugins: { "@pulumi": pulumi },
  languageOptions: {
    parserOptions: { projectService: true, tsconfigRootDir: __dirname },
  },
  rules: {
    // An Output in a template literal prints "Calling [toString] on an [Output<T>]".
    "@pulumi/no-output-in-template-literal": "error",
    "@pulumi/no-output-instance-in-template-literal": "error",
  },
});
