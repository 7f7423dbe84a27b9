import { kernelCommandLine, qemuArgs, type QemuPlan } from "../../vm/qemu";

const plan: QemuPlan = {
  arch: "amd64",
  accel: "tcg",
  cpus: 2,
  memoryMiB: 1024,
  name: "vm-1",
  dir: "/somewhere/deep/dev-vm-1",
  kernel: true,
  sandbox: true,
};

/** The value after each use of an option. */
function valuesOf(args: readonly string[], option: string): (string | undefined)[] {
  return args.flatMap((arg, at) => (arg === option ? [args[at + 1]] : []));
}

test("an emulated VM has all processor features but those that slow it down, and a thread per processor", () => {
  const args = qemuArgs(plan);
  expect(valuesOf(args, "-accel")).toEqual(["tcg,thread=multi"]);
  expect(valuesOf(args, "-cpu")).toEqual(["max,-erms,-fsrm,-la57"]);
  expect(valuesOf(qemuArgs({ ...plan, arch: "arm64" }), "-cpu")).toEqual(["max,pauth-impdef=on"]);
});

test("an emulated amd64 VM has its programs at fixed addresses", () => {
  expect(kernelCommandLine("amd64", "tcg").split(" ")).toContain("norandmaps");
  expect(kernelCommandLine("arm64", "tcg")).not.toContain("norandmaps");
});

test("a VM in hardware has this machine's processor and keeps its kernel's defences", () => {
  const args = qemuArgs({ ...plan, accel: "kvm" });
  expect(valuesOf(args, "-accel")).toEqual(["kvm"]);
  expect(valuesOf(args, "-cpu")).toEqual(["host"]);
  expect(kernelCommandLine("amd64", "kvm")).not.toMatch(/mitigations|norandmaps/);
});

test("no port is forwarded on the command line", () => {
  expect(qemuArgs(plan).join(" ")).not.toContain("hostfwd");
});

test("files are named relative to the folder, the pid file in full so that the process is recognisable", () => {
  const args = qemuArgs(plan);
  expect(args.filter((arg) => arg.includes(plan.dir))).toEqual([`${plan.dir}/qemu.pid`]);
  expect(valuesOf(args, "-chardev")).toContain("socket,id=qmp,path=qmp.sock,server=on,wait=off");
});

test("a disk with a boot loader of its own gets no kernel", () => {
  const args = qemuArgs({ ...plan, kernel: false });
  expect(args).not.toContain("-kernel");
  expect(args).not.toContain("-append");
  expect(valuesOf(qemuArgs(plan), "-kernel")).toEqual(["vmlinuz"]);
});

test("the system call filter is only asked for where QEMU has one", () => {
  expect(valuesOf(qemuArgs(plan), "-sandbox")).toHaveLength(1);
  expect(qemuArgs({ ...plan, sandbox: false })).not.toContain("-sandbox");
});
