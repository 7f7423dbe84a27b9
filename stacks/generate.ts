/** `npm run generate`: writes what is made from the schema. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackFileSchema } from "./json-schema";

writeFileSync(
  join(__dirname, "stack.schema.json"),
  `${JSON.stringify(stackFileSchema(), null, 2)}\n`,
);
