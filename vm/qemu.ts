/** QEMU's arguments. Pure. */

export type Arch = "amd64" | "arm64";
export type Accel = "kvm" | "hvf" | "tcg";

export interface QemuPlan {
  readonly arch: Arch;
  readonly accel: Accel;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Shown in process lists. */
  readonly name: string;
  /** The VM's folder, absolute: it makes the command line recognisable. */
  readonly dir: string;
  /** false: the disk brings its own boot loader. */
  readonly kernel: boolean;
  /** QEMU was built with a system call filter. */
  readonly sandbox: boolean;
}

/** The VM's network card; the seed names its address so that nothing waits for DHCP. */
export const macAddress = "52:54:00:12:34:56";
export const netdev = "net0";

/** Files in the VM's folder, where QEMU is started: relative, since a socket's path has a limit of about 100 bytes. */
export const vmFiles = {
  base: "base.qcow2",
  kernel: "vmlinuz",
  initrd: "initrd.img",
  disk: "disk.qcow2",
  seed: "seed.iso",
  console: "console.log",
  log: "qemu.log",
  qmp: "qmp.sock",
  pid: "qemu.pid",
} as const;

export function qemuProgram(arch: Arch): string {
  return arch === "arm64" ? "qemu-system-aarch64" : "qemu-system-x86_64";
}

/**
 * All features but those that make an emulated processor slower: `erms` and `fsrm`, by which a kernel copies and clears
 * memory byte for byte, `la57`, a fifth level of page tables to walk, and arm64's pointer authentication in its
 * standard form. Measured on amd64, all three at once: an upload takes a third less time without them, unpacking a sixth,
 * the start of processes up to a quarter.
 */
const emulatedCpu: Record<Arch, string> = {
  amd64: "max,-erms,-fsrm,-la57",
  arm64: "max,pauth-impdef=on",
};

/** Accelerator and processor, the same for a probe and a VM. */
export function accelArgs(arch: Arch, accel: Accel): string[] {
  const machine = arch === "arm64" ? "virt" : "q35";
  return [
    ...["-machine", machine],
    ...["-accel", accel === "tcg" ? "tcg,thread=multi" : accel],
    ...["-cpu", accel === "tcg" ? emulatedCpu[arch] : "host"],
  ];
}

export function kernelCommandLine(arch: Arch, accel: Accel): string {
  return [
    "root=/dev/vda rw rootfstype=ext4 net.ifnames=0 quiet systemd.show_status=false",
    `console=${arch === "arm64" ? "ttyAMA0" : "ttyS0"}`,
    // Defences against what an emulated processor does not do cost time on each system call.
    ...(accel === "tcg" ? ["mitigations=off"] : []),
    // What a process runs is translated anew for each place that it may lie at: docs/decisions/0025. Measured on amd64 alone.
    ...(accel === "tcg" && arch === "amd64" ? ["norandmaps"] : []),
  ].join(" ");
}

/** No port is forwarded here: forwards are set through the control socket, where a taken port can be told and tried anew. */
export function qemuArgs(plan: QemuPlan): string[] {
  const drive = (file: string, more: string): string[] => [
    "-drive",
    `file=${file},if=virtio,${more}`,
  ];
  return [
    ...["-name", plan.name],
    ...accelArgs(plan.arch, plan.accel),
    ...["-smp", String(plan.cpus), "-m", String(plan.memoryMiB)],
    ...["-nodefaults", "-no-user-config", "-display", "none"],
    ...(plan.kernel
      ? [
          "-kernel",
          vmFiles.kernel,
          "-initrd",
          vmFiles.initrd,
          "-append",
          kernelCommandLine(plan.arch, plan.accel),
        ]
      : []),
    ...drive(vmFiles.disk, "format=qcow2,discard=unmap,detect-zeroes=unmap"),
    ...drive(vmFiles.seed, "format=raw,read-only=on"),
    // Without its boot ROM the card costs no time in the firmware.
    ...["-netdev", `user,id=${netdev}`],
    ...["-device", `virtio-net-pci,netdev=${netdev},mac=${macAddress},romfile=`],
    ...["-device", "virtio-rng-pci"],
    ...["-chardev", `file,id=console,path=${vmFiles.console}`, "-serial", "chardev:console"],
    ...["-chardev", `socket,id=qmp,path=${vmFiles.qmp},server=on,wait=off`],
    ...["-mon", "chardev=qmp,mode=control"],
    ...(plan.sandbox
      ? ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"]
      : []),
    // Absolute, see `dir`.
    ...["-pidfile", `${plan.dir}/${vmFiles.pid}`],
  ];
}
