import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { commandLine, quote } from "../../components/remote/quote";

test("a shell gives every word back as it was", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string().filter((word) => !word.includes("\0") && !word.startsWith("~/")),
        {
          maxLength: 4,
        },
      ),
      (words) => {
        const line = commandLine(["printf", "%s\\0", "", ...words]);
        const output = execFileSync("sh", ["-c", line], { encoding: "utf8" });
        expect(output.split("\0").slice(1, -1)).toEqual(words);
      },
    ),
    { numRuns: 50 },
  );
});

test("a plain word stays as it is, so that a plan reads well", () => {
  expect(commandLine(["sh", "/opt/tseeder-agent/bin/activate", "agent-vm-1"])).toBe(
    "sh /opt/tseeder-agent/bin/activate agent-vm-1",
  );
});

test("~/ is the home folder of who logs in, spaces and all", () => {
  const output = execFileSync("sh", ["-c", `printf %s ${quote("~/a file")}`], {
    encoding: "utf8",
    env: { HOME: "/home/some one" },
  });
  expect(output).toBe("/home/some one/a file");
});
