/** Where official downloads come from, and whether they were found reachable in this run. */
import { answers } from "./download";
import { PULUMI } from "./versions";

export interface Official {
  /** Base of the CLI's archives. */
  readonly releases: string;
  /** The published checksums of these archives. */
  readonly checksums: string;
  /** Base of plugin archives. @default - where the CLI looks by itself */
  readonly plugins: string | undefined;
  /** Undefined until something was tried. */
  reachable: boolean | undefined;
}

/** AGENT_FLEET_PULUMI_MIRROR names one base for all: archives of the CLI, checksums and plugins. */
export function officialDownloads(env: Readonly<Record<string, string | undefined>>): Official {
  const mirror = env["AGENT_FLEET_PULUMI_MIRROR"]?.replace(/\/+$/, "");
  return {
    releases: mirror ?? "https://get.pulumi.com/releases/sdk",
    checksums: `${
      mirror ?? `https://github.com/pulumi/pulumi/releases/download/v${PULUMI}`
    }/pulumi-${PULUMI}-checksums.txt`,
    plugins: mirror,
    reachable: undefined,
  };
}

export async function reachable(official: Official): Promise<boolean> {
  official.reachable ??= await answers(`${official.releases}/`);
  return official.reachable;
}
