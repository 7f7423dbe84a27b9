/** A kernel without its self-unpacking shell: Firecracker takes nothing else, and QEMU boots it by its PVH entry. */
import { execFileSync } from "node:child_process";
import { findProgram } from "../tools";

/** By the first bytes of what they unpack. */
const unpackers = [
  { magic: "02214c18", program: "lz4" },
  { magic: "fd377a585a00", program: "xz" },
  { magic: "28b52ffd", program: "zstd" },
  { magic: "1f8b08", program: "gzip" },
] as const;

/**
 * The ELF file in a bzImage; the header says where it lies (Documentation/arch/x86/boot.rst in Linux).
 * @throws Error where it is no bzImage, or its compression is not known
 */
export function unpackKernel(image: Buffer): Buffer {
  if (image.toString("latin1", 0x202, 0x206) !== "HdrS") {
    throw new Error("the kernel is no bzImage: it has no boot header of x86");
  }
  const sectors = image.readUInt8(0x1f1);
  const begin = (sectors + 1) * 512 + image.readUInt32LE(0x248);
  // The last four bytes are the unpacked size.
  const end = begin + image.readUInt32LE(0x24c) - 4;
  const packed = image.subarray(begin, end);
  const found = unpackers.find(({ magic }) => packed.toString("hex", 0, 6).startsWith(magic));
  if (found === undefined) {
    const magic = packed.toString("hex", 0, 6);
    const known = unpackers.map(({ program }) => program).join(", ");
    throw new Error(`the kernel is packed in an unknown way (${magic}); known are ${known}`);
  }
  return execFileSync(findProgram(found.program) ?? found.program, ["-dc"], {
    input: packed,
    maxBuffer: 2 ** 30,
  });
}
