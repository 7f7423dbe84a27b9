import fc from "fast-check";
import { parse } from "smol-toml";
import { renderConfigFile, type ConfigFile, type Lookup } from "../../components/agent/config-file";

const VALUES: Record<string, string | number> = {
  URL: "https://x",
  KEY: 'k"\\$&${URL}',
  EVERY: 30,
};
const lookup: Lookup = (name) => VALUES[name];
const render = (format: ConfigFile["format"], content: unknown) =>
  renderConfigFile({ format, content, mode: "600" }, lookup);

const CONTENT = {
  at: "${URL}/api",
  key: "${KEY}",
  every: "${EVERY}",
  id: "${NOT_SET}",
  list: ["${URL}", "${NOT_SET}", 1, true],
  nested: { off: false, plain: "$URL {URL} ${url}" },
};
const FILLED = {
  at: "https://x/api",
  key: VALUES["KEY"],
  every: 30,
  list: ["https://x", 1, true],
  nested: { off: false, plain: "$URL {URL} ${url}" },
};

test("variables are filled in, numbers stay numbers, and a key without a value is left out", () => {
  expect(JSON.parse(render("json", CONTENT))).toEqual(FILLED);
  expect(parse(render("toml", { ...CONTENT, list: ["${URL}", "${NOT_SET}"] }))).toEqual({
    ...FILLED,
    list: ["https://x"],
  });
});

test("JSON is written for people too, and each file ends with a line break", () => {
  expect(render("json", { a: { b: 1 } })).toBe('{\n  "a": {\n    "b": 1\n  }\n}\n');
  expect(render("toml", { a: { b: 1 } })).toBe("[a]\nb = 1\n");
  expect(render("text", "every ${EVERY} s\nfrom ${URL}\n")).toBe("every 30 s\nfrom https://x\n");
  expect(render("text", "${NOT_SET}")).toBe("\n");
});

test("no value can become more than a value", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (value) => {
      const only = (format: ConfigFile["format"]) =>
        renderConfigFile({ format, mode: "600", content: { a: "${X}", b: "<${X}>" } }, () => value);
      expect(JSON.parse(only("json"))).toEqual({ a: value, b: `<${value}>` });
      expect(parse(only("toml"))).toEqual({ a: value, b: `<${value}>` });
    }),
  );
});
