import { gzipSync } from "node:zlib";
import { unpackKernel } from "../../../vm/agent/kernel";

const ELF = Buffer.from("\x7fELF, as if");

/** A kernel of x86 with one sector of set-up behind its first, and 16 bytes before what is packed. */
function bzImage(packed: Buffer): Buffer {
  const head = Buffer.alloc(1024 + 16);
  head.writeUInt8(1, 0x1f1);
  head.write("HdrS", 0x202, "latin1");
  head.writeUInt32LE(16, 0x248);
  head.writeUInt32LE(packed.length + 4, 0x24c);
  const size = Buffer.from([0, 0, 0, 1]);
  return Buffer.concat([head, packed, size, Buffer.from("what else is in the file")]);
}

test("the kernel comes out as it was packed", () => {
  expect(unpackKernel(bzImage(gzipSync(ELF)))).toEqual(ELF);
});

test("another file, and a kernel packed in another way, are refused with the reason", () => {
  expect(() => unpackKernel(Buffer.alloc(4096))).toThrow("no boot header of x86");
  expect(() => unpackKernel(bzImage(Buffer.from("BZh91AY")))).toThrow(
    "packed in an unknown way (425a68393141); known are lz4, xz, zstd, gzip",
  );
});
