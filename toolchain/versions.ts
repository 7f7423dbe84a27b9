/** The one place where versions of the engine and its plugins are pinned. */

/** The version of the CLI, the language host and @pulumi/pulumi. */
export const PULUMI = "3.225.0";

/** An installed CLI fits from this version on (error hooks) and below the next major one. */
export const PULUMI_AT_LEAST = "3.218.0";
export const PULUMI_BELOW_MAJOR = 4;

/** The plugin versions, equal to those of the npm packages of the same name. */
export const PLUGINS = {
  command: "1.2.1",
  tls: "5.6.1",
  hcloud: "1.41.0",
  digitalocean: "4.80.1",
  aws: "7.48.0",
  gcp: "9.37.0",
  "azure-native": "3.28.0",
  linode: "5.1.1",
  vultr: "2.21.0",
  openstack: "3.15.2",
  proxmoxve: "8.6.0",
  cloudflare: "6.22.1",
} as const;
export type PluginName = keyof typeof PLUGINS;

interface Publication {
  /** The npm package. */
  readonly sdk: string;
  /** `owner/name` on GitHub, whose releases hold the archives. */
  readonly repository: string;
}

/** Plugins that others than Pulumi publish. */
const BY_OTHERS: Readonly<Partial<Record<PluginName, Publication>>> = {
  vultr: { sdk: "@ediri/vultr", repository: "dirien/pulumi-vultr" },
  proxmoxve: { sdk: "@muhlba91/pulumi-proxmoxve", repository: "muhlba91/pulumi-proxmoxve" },
};

export function publishedByOthers(name: PluginName): boolean {
  return name in BY_OTHERS;
}

export function publicationOf(name: PluginName): Publication {
  return BY_OTHERS[name] ?? { sdk: `@pulumi/${name}`, repository: `pulumi/pulumi-${name}` };
}

/** Those that every stack needs; each has a stand-in for where its official download is out of reach. */
export const STAND_INS = ["command", "tls"] as const satisfies readonly PluginName[];

/** What `go` must be to build the CLI: from here on it fetches the exact toolchain itself. */
export const GO_AT_LEAST = "1.21";
export const GO_EXACT = "1.25.6";
