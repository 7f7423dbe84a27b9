import { sourceLines } from "../../vm/bootstrap";
import { recipeOf } from "../../vm/recipe";

test("an unknown image is refused with the known names", () => {
  expect(() => recipeOf("debian-14", "amd64")).toThrow(
    'image: got "debian-14", expected one of debian-11, debian-12, debian-13',
  );
});

test("a recipe's id differs by image and architecture, and is the same the next time", () => {
  const ids = [
    recipeOf("debian-12", "amd64").id,
    recipeOf("debian-12", "arm64").id,
    recipeOf("debian-13", "amd64").id,
  ];
  expect(new Set(ids).size).toBe(3);
  expect(recipeOf("debian-12", "amd64").id).toBe(ids[0]);
});

test("packages come from the mirror that apt uses for Debian, whatever suite this machine has", () => {
  const targets = [
    "Docker Docker https://mirror.test/docker",
    "Debian Debian http://mirror.test/debian/",
    "Debian Debian http://mirror.test/debian/",
    "Debian Debian-Security http://mirror.test/debian-security/",
  ].join("\n");
  expect(sourceLines(targets, { suite: "trixie", updated: true })).toEqual([
    "deb http://mirror.test/debian/ trixie main",
    "deb http://mirror.test/debian/ trixie-updates main",
    "deb http://mirror.test/debian-security/ trixie-security main",
  ]);
});

test("where apt knows no Debian archive the choice is left to mmdebstrap", () => {
  const trixie = { suite: "trixie", updated: true };
  expect(sourceLines("Ubuntu Ubuntu http://mirror.test/ubuntu/", trixie)).toEqual([]);
});

test("a suite whose updates are no longer served is taken as it was released last", () => {
  const targets = "Debian Debian http://mirror.test/debian/";
  expect(sourceLines(targets, { suite: "bullseye", updated: false })).toEqual([
    "deb http://mirror.test/debian/ bullseye main",
  ]);
});
