/** Whether a provider's credentials are there, by name alone: no value is read. */
import { OFFERS, type CloudProvider } from "../components/host/offers";

/** What the check may look at. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Every key of the stack's configuration, such as `hcloud:token`. */
  readonly configKeys: readonly string[];
  /** Whether there is such a file; `~` is the operator's home. */
  readonly hasFile: (path: string) => boolean;
}

/** One thing that a provider needs, and the ways to give it; the first two are named to a person. */
interface Need {
  readonly what: string;
  readonly env: readonly string[];
  readonly config: readonly string[];
  readonly files?: readonly string[];
}

/** As the providers' own documentation lists them (www.pulumi.com/registry/packages/…/installation-configuration). */
const NEEDS: Readonly<Record<CloudProvider, readonly Need[]>> = {
  hcloud: [{ what: "an API token", env: ["HCLOUD_TOKEN"], config: ["hcloud:token"] }],
  digitalocean: [
    {
      what: "an API token",
      env: ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"],
      config: ["digitalocean:token"],
    },
  ],
  aws: [
    {
      what: "credentials",
      env: [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SHARED_CREDENTIALS_FILE",
      ],
      // The role of an EC2 instance counts where the check for it is on.
      config: ["aws:profile", "aws:accessKey", "aws:skipMetadataApiCheck"],
      files: ["~/.aws/credentials", "~/.aws/config"],
    },
  ],
  gcp: [
    {
      what: "credentials",
      env: [
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CREDENTIALS",
        "GOOGLE_CLOUD_KEYFILE_JSON",
        "GCLOUD_KEYFILE_JSON",
        "GOOGLE_OAUTH_ACCESS_TOKEN",
      ],
      config: ["gcp:credentials", "gcp:accessToken"],
      files: ["~/.config/gcloud/application_default_credentials.json"],
    },
    {
      what: "a project",
      env: ["GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"],
      config: ["gcp:project"],
    },
  ],
};

/** What is missing, each with what to do. */
export function missingCredentials(provider: CloudProvider, around: Surroundings): string[] {
  return NEEDS[provider]
    .filter((need) => !isMet(need, around))
    .map(({ what, env, config }) => {
      const [variable = ""] = env;
      const [key = ""] = config;
      const secret = /project|profile/.test(key) ? "" : "--secret ";
      return `${OFFERS[provider].title} needs ${what} and there is none; set ${variable}, or run: pulumi config set ${secret}${key}`;
    });
}

function isMet({ env, config, files = [] }: Need, around: Surroundings): boolean {
  return (
    env.some((name) => (around.env[name] ?? "") !== "") ||
    config.some((key) => around.configKeys.includes(key)) ||
    files.some((file) => around.hasFile(file))
  );
}
