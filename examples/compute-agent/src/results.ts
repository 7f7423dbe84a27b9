import { createHmac } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Result } from "./work";

/** A result as it is stored: `signature` is the HMAC-SHA256 of `id.JSON(result)`, in hex. */
export interface SignedResult {
  readonly id: string;
  readonly result: Result;
  readonly signature: string;
}

/** The results on disk, one file a job. */
export class Results {
  /** @throws Error if the folder can be neither found nor made */
  constructor(
    private readonly folder: string,
    private readonly secret: string,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  async save(id: string, result: Result): Promise<SignedResult> {
    const signature = createHmac("sha256", this.secret)
      .update(`${id}.${JSON.stringify(result)}`)
      .digest("hex");
    const signed = { id, result, signature };
    // A reader never sees half a file.
    await writeFile(`${this.file(id)}.part`, `${JSON.stringify(signed)}\n`);
    await rename(`${this.file(id)}.part`, this.file(id));
    return signed;
  }

  async remove(id: string): Promise<void> {
    await rm(this.file(id), { force: true });
  }

  private file(id: string): string {
    return join(this.folder, `${id}.json`);
  }
}
