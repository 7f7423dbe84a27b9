/** What is called how in an agent-ready image, for who makes it and who checks it. */

/** The files that make an image, in one folder. */
export const imageFiles = {
  kernel: "agent-kernel",
  initrd: "agent-initrd",
  disk: "agent-rootfs.ext4",
  manifest: "agent-image.json",
} as const;

/** What agents and their people find there; the rest of a local VM's image comes with it. */
export const neededPackages = [
  ...["git", "build-essential", "python3", "pkg-config", "iproute2", "sudo"],
  ...["systemd", "systemd-resolved", "libpam-systemd", "dbus-user-session"],
  ...["openssh-server", "cloud-init"],
] as const;
