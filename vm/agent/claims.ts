/** What an agent-ready image is: each claim is checked by reading the file, without booting it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packagesIn } from "../bootstrap";
import { Ext4 } from "./ext4";
import { readManifest } from "./manifest";
import { imageFiles, neededPackages } from "./names";
import { treeChanges } from "./tree";

export interface Finding {
  readonly claim: string;
  /** Why it does not hold; undefined where it does. */
  readonly fault: string | undefined;
}

interface Claim {
  readonly claim: string;
  /** What is wrong; undefined where nothing is. */
  readonly fault: (image: Ext4) => string | undefined;
}

/** All findings; of a file system that is not whole that one alone, as nothing else can be read from it. */
export function verifyImage(file: string): Finding[] {
  const image = new Ext4(file);
  const whole = { claim: "the file system is ext4 and whole", fault: image.fault() };
  if (whole.fault !== undefined) return [whole];
  return [whole, ...claims.map(({ claim, fault }) => ({ claim, fault: fault(image) }))];
}

const claims: readonly Claim[] = [
  {
    claim: "the kernel beside it is the one whose modules it has",
    fault: (image) => {
      const kernel = join(dirname(image.file), imageFiles.kernel);
      if (!existsSync(kernel)) return `there is no ${imageFiles.kernel} beside it`;
      const banner = /Linux version (\S+) \(/.exec(readFileSync(kernel, "latin1"))?.[1];
      const modules = image.folder("/usr/lib/modules").map(({ name }) => name);
      return banner !== undefined && modules.includes(banner)
        ? undefined
        : `${imageFiles.kernel} is ${banner ?? "no unpacked kernel"}, the modules are of ${listed(modules)}`;
    },
  },
  {
    claim: "the tools are installed",
    fault: (image) => {
      const installed = packagesIn(image.text("/var/lib/dpkg/status") ?? "");
      const missing = neededPackages.filter((name) => !(name in installed));
      return missing.length === 0 ? undefined : `not there: ${missing.join(", ")}`;
    },
  },
  {
    claim: "Node is 22 or newer",
    fault: (image) => {
      const version = programVersion(image, "node");
      if (version === undefined) return absent("node");
      return Number(version.split(".")[0]) >= 22 ? undefined : `it is ${version}`;
    },
  },
  ...["pnpm", "opencode"].map((name) => ({
    claim: `${name} is there`,
    fault: (image: Ext4) => (programVersion(image, name) === undefined ? absent(name) : undefined),
  })),
  {
    claim: "the user agent has the id 1000, a home of its own and a shell",
    fault: (image) => {
      const line = accounts(image).find(({ name }) => name === "agent");
      if (line === undefined) return "/etc/passwd has no agent";
      if (line.uid !== 1000) return `its id is ${String(line.uid)}`;
      if (line.shell !== "/bin/bash") return `its shell is ${line.shell}`;
      const home = image.entry(line.home);
      return home?.kind === "folder" && home.uid === 1000
        ? undefined
        : `${line.home} is not a folder of its own`;
    },
  },
  {
    claim: "agent may become root without a password",
    fault: (image) => {
      const path = "/etc/sudoers.d/agent";
      const entry = image.entry(path);
      if (!/^agent ALL=\(ALL\) NOPASSWD:ALL$/m.test(image.text(path) ?? "")) {
        return `${path} does not say so`;
      }
      // sudo ignores a file that others than root may have written.
      return entry?.uid === 0 && (entry.mode & 0o022) === 0
        ? undefined
        : `${path} is not root's alone to write`;
    },
  },
  {
    claim: "units of agent run without a login",
    fault: (image) => missingFile(image, "/var/lib/systemd/linger/agent"),
  },
  {
    claim: "opencode@.service is a unit of users, with its folder, port and restart",
    fault: (image) => {
      const unit = image.text("/etc/systemd/user/opencode@.service")?.split("\n") ?? [];
      const missing = [
        "WorkingDirectory=-%h/workspaces/%i",
        "Environment=PORT=4096 OPENCODE_HOST=127.0.0.1",
        "Restart=on-failure",
        "RestartSec=5s",
      ].filter((line) => !unit.includes(line));
      return missing.length === 0 ? undefined : `it does not say ${missing.join(", ")}`;
    },
  },
  {
    claim: "sshd starts with the system",
    fault: (image) => missingFile(image, "/etc/systemd/system/multi-user.target.wants/ssh.service"),
  },
  {
    claim: "sshd lets in by keys alone",
    fault: (image) =>
      ["passwordauthentication", "kbdinteractiveauthentication"]
        .filter((setting) => sshdSetting(image, setting) !== "no")
        .map((setting) => `${setting} is not set to no`)[0],
  },
  {
    claim: "no account has a password",
    fault: (image) => {
      const shadow = image.text("/etc/shadow");
      if (shadow === undefined) return "there is no /etc/shadow";
      const open = lines(shadow).filter((line) => !/^[^:]+:[!*]/.test(line));
      return open.length === 0
        ? undefined
        : `not locked: ${open.map((line) => line.split(":")[0] ?? "").join(", ")}`;
    },
  },
  {
    claim: "no keys of people are in it",
    fault: (image) => {
      const folders = [...accounts(image).map(({ home }) => home), "/etc/skel"];
      const keys = folders.flatMap((folder) =>
        image.folder(`${folder}/.ssh`).map(({ name }) => `${folder}/.ssh/${name}`),
      );
      return keys.length === 0 ? undefined : `there is ${listed([...new Set(keys)])}`;
    },
  },
  {
    claim: "no host keys are in it",
    fault: (image) => {
      const keys = image.folder("/etc/ssh").filter(({ name }) => name.startsWith("ssh_host_"));
      return keys.length === 0 ? undefined : `there is ${listed(keys.map(({ name }) => name))}`;
    },
  },
  {
    claim: "it has no identity yet: each VM gets its own machine-id and random seed",
    fault: (image) => {
      if (image.text("/etc/machine-id") !== "") return "/etc/machine-id is not there and empty";
      const found = ["/var/lib/dbus/machine-id", "/var/lib/systemd/random-seed"].filter(
        (path) => image.entry(path) !== undefined,
      );
      return found.length === 0 ? undefined : `there is ${listed(found)}`;
    },
  },
  {
    claim: "cloud-init has not run, and reads keys from a seed",
    fault: (image) => {
      if (image.entry("/var/lib/cloud/instance") !== undefined) return "cloud-init has run in it";
      const settings = image
        .folder("/etc/cloud/cloud.cfg.d")
        .map(({ name }) => image.text(`/etc/cloud/cloud.cfg.d/${name}`) ?? "");
      return settings.some((text) => /^datasource_list:.*\bNoCloud\b/m.test(text))
        ? undefined
        : "no file of /etc/cloud/cloud.cfg.d names NoCloud";
    },
  },
  {
    claim: "agents' runtimes and releases are those of its manifest, as they were unpacked",
    fault: (image) => {
      const manifest = readManifest(image.file);
      if (manifest === undefined) return `there is no ${imageFiles.manifest} beside it`;
      const faults = Object.keys(manifest.baked).flatMap((folder) =>
        treeChanges(image, folder).map((change) => `${folder}: ${change}`),
      );
      return faults.length === 0 ? undefined : listed(faults.slice(0, 5));
    },
  },
];

/** Of a program under /usr/local/lib that can be run by its name. */
function programVersion(image: Ext4, name: string): string | undefined {
  const folder = `/usr/local/lib/${name}`;
  const runnable = image
    .folder(`${folder}/bin`)
    .some(({ kind, mode, size }) => kind === "file" && (mode & 0o111) === 0o111 && size > 0);
  if (!runnable || image.entry(`/usr/local/bin/${name}`)?.kind !== "link") return undefined;
  const manifest = image.text(`${folder}/package.json`);
  return manifest === undefined
    ? undefined
    : (JSON.parse(manifest) as { readonly version?: string }).version;
}

function absent(program: string): string {
  return `/usr/local/bin/${program} leads to no program`;
}

function missingFile(image: Ext4, path: string): string | undefined {
  return image.entry(path) === undefined ? `there is no ${path}` : undefined;
}

function accounts(image: Ext4) {
  return lines(image.text("/etc/passwd") ?? "").map((line) => {
    const [name = "", , uid, , , home = "", shell = ""] = line.split(":");
    return { name, uid: Number(uid), home, shell };
  });
}

/** The first value that sshd reads, of the settings that its package includes first. */
function sshdSetting(image: Ext4, setting: string): string | undefined {
  const folder = "/etc/ssh/sshd_config.d";
  const included = image
    .folder(folder)
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".conf"))
    .sort()
    .map((name) => `${folder}/${name}`);
  const words = [...included, "/etc/ssh/sshd_config"]
    .flatMap((path) => lines(image.text(path) ?? ""))
    .map((line) => line.trim().split(/\s+/));
  return words.find(([name]) => name?.toLowerCase() === setting)?.[1]?.toLowerCase();
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
