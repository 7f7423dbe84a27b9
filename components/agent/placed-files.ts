/** The files that an agent has beside its env file: its config files, and its rules for logrotate. */
import { configPath, folders, type Profile } from "./profile";
import { renderConfigFile, type ConfigFile } from "./config-file";

export interface PlacedFile {
  readonly path: string;
  /** Permissions, such as `600`. */
  readonly mode: string;
  /** User, and group of the same name. */
  readonly owner: string;
  readonly content: string;
}

/** @param values the agent's variables, secrets and all */
export function placedFiles(
  profile: Profile,
  agent: string,
  values: Readonly<Record<string, string>>,
): PlacedFile[] {
  const owner = profile.user ?? profile.service;
  const config = Object.entries(profile.files).map(([name, file]) => ({
    path: configPath(profile, agent, name),
    mode: file.mode,
    owner,
    content: configContent(profile, file, values),
  }));
  return [...config, ...logrotateRules(profile, agent, owner)];
}

/** The text of a config file, with the variables as what they are in the profile. */
export function configContent(
  profile: Profile,
  file: ConfigFile,
  values: Readonly<Record<string, string>>,
): string {
  return renderConfigFile(file, (name) => {
    const value = values[name];
    return value !== undefined && profile.env[name]?.number === true ? Number(value) : value;
  });
}

function logrotateRules(profile: Profile, agent: string, owner: string): PlacedFile[] {
  const { service, logrotate } = profile;
  if (logrotate === undefined) {
    return [];
  }
  const lines = logrotate.trim().split("\n");
  // In a folder that another user may write to, logrotate acts as that user, or not at all.
  const asUser = owner === "root" ? [] : [`su ${owner} ${owner}`];
  const rules = [...asUser, ...lines].map((line) => `    ${line.trim()}\n`).join("");
  return [
    {
      path: `/etc/logrotate.d/${service}-${agent}`,
      mode: "644",
      owner: "root",
      content: `${folders(service, agent).logs}/*.log {\n${rules}}\n`,
    },
  ];
}
