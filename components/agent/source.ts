/** Where an agent's code comes from: the forms that a stack file may give, and what is wrong with others. */

export type Source =
  | { readonly kind: "folder"; readonly path: string }
  | {
      readonly kind: "git";
      readonly url: string;
      /** All 40 digits: a branch or a tag may mean other code tomorrow. */
      readonly commit: string;
      /** Folder in the repository; empty for the whole. */
      readonly folder: string;
    }
  | { readonly kind: "npm"; readonly name: string; readonly version: string }
  | { readonly kind: "tarball"; readonly url: string; readonly sha256: string };

export type RemoteSource = Exclude<Source, { kind: "folder" }>;

export const SOURCE_FORMS =
  "a folder, git+https://<host>/<repo>#<commit>:<folder>, npm:<name>@<version> or https://<host>/<file>.tgz#sha256=<hex>";

const COMMIT = /^[0-9a-f]{40}$/;
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;
const PACKAGE = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
/** A scheme, but not the drive of a path. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/**
 * The source that a text means.
 * @returns what is wrong with it, as the rest of a sentence that begins with what was given
 */
export function parseSource(text: string): Source | { readonly problem: string } {
  if (text.startsWith("git+")) {
    return parseGit(text);
  }
  if (text.startsWith("npm:")) {
    return parseNpm(text);
  }
  if (/^https?:\/\//.test(text)) {
    return parseTarball(text);
  }
  const git = gitRemote(text);
  if (git !== undefined) {
    return { problem: `expected a commit of it: ${git}; ${askForCommit(git)}` };
  }
  if (text.startsWith("file:")) {
    return { problem: `expected the folder alone: ${text.replace(/^file:(\/\/)?/, "")}` };
  }
  return SCHEME.test(text)
    ? { problem: `expected ${SOURCE_FORMS}; write one of them` }
    : { kind: "folder", path: text };
}

/** The text that means the source. */
export function sourceText(source: Source): string {
  switch (source.kind) {
    case "folder":
      return source.path;
    case "git":
      return `git+${source.url}#${source.commit}${source.folder === "" ? "" : `:${source.folder}`}`;
    case "npm":
      return `npm:${source.name}@${source.version}`;
    case "tarball":
      return `${source.url}#sha256=${source.sha256}`;
  }
}

/** A text as an error may show it: without the password or token that a URL may hold. */
export function shownSource(text: string): string {
  return text.replace(/(https?:\/\/)[^/@]*@/g, "$1…@").replace(/(\/\/[^/@:]*):[^/@]*@/g, "$1:…@");
}

/** What a name of a resource may hold of it: another version of the same code is another release. */
export function sourceName(source: RemoteSource): string {
  switch (source.kind) {
    case "git": {
      const repository = source.url.replace(/^[a-z]+:\/\//, "").replace(/\.git$/, "");
      return `git-${repository}-${source.folder}-${source.commit.slice(0, 12)}`;
    }
    case "npm":
      return `npm-${source.name}-${source.version}`;
    case "tarball":
      return `tarball-${fileOf(source.url)}-${source.sha256.slice(0, 12)}`;
  }
}

function parseGit(text: string): Source | { readonly problem: string } {
  const [remote, fragment] = splitAt(text.slice("git+".length), "#");
  const url = withoutEnd(remote);
  if (!/^(https|ssh|file):\/\/./.test(url)) {
    const near = /^(git|http):\/\//.test(url) ? `; write git+https://${afterScheme(url)}` : "";
    return { problem: `expected git+https://, git+ssh:// or git+file://${near}` };
  }
  if (hasPassword(url)) {
    return {
      problem:
        "which has a password or a token in it; remove it, and let git's own credential helper keep it",
    };
  }
  const [commit, folder] = splitAt(fragment, ":");
  const path = folder.replace(/^(\.?\/+)+|\/+$/g, "");
  if (!COMMIT.test(commit)) {
    const right = `git+${url}#<commit>${path === "" ? "" : `:${path}`}`;
    return {
      problem: `expected the commit as 40 digits 0-9 and a-f: ${right}; ${askForCommit(right, commit)}`,
    };
  }
  if (path.split("/").includes("..")) {
    return { problem: `expected a folder in the repository, without ".."; correct it` };
  }
  return { kind: "git", url, commit, folder: path };
}

function parseNpm(text: string): Source | { readonly problem: string } {
  const spec = text.slice("npm:".length);
  const at = spec.lastIndexOf("@");
  const [name, version] = at > 0 ? [spec.slice(0, at), spec.slice(at + 1)] : [spec, ""];
  if (!PACKAGE.test(name)) {
    return { problem: "expected npm:<name>@<version>, in small letters; correct the name" };
  }
  if (!VERSION.test(version)) {
    return {
      problem: `expected an exact version: npm:${name}@<version>; ask for it: npm view ${name} version`,
    };
  }
  return { kind: "npm", name, version };
}

function parseTarball(text: string): Source | { readonly problem: string } {
  const [url, fragment] = splitAt(text, "#");
  if (hasPassword(url)) {
    return {
      problem: "which has a password or a token in it; put the file where none is needed",
    };
  }
  const sha256 = /^sha256=([0-9a-f]{64})$/i.exec(fragment)?.[1]?.toLowerCase();
  if (sha256 !== undefined) {
    return { kind: "tarball", url, sha256 };
  }
  if (!/\.(tgz|tar|tar\.gz)$/.test(fileOf(url))) {
    const git = `git+https://${afterScheme(withoutEnd(url))}#<commit>`;
    return {
      problem: `expected ${git} for a repository, or ${url}#sha256=<hex> for a tarball; ${askForCommit(git)}`,
    };
  }
  return {
    problem: `expected the file's SHA-256, 64 digits 0-9 and a-f: ${url}#sha256=<hex>; sha256sum tells it of a file that you trust`,
  };
}

/** The git form of what looks like a repository: `git@host:owner/repo`, `github:owner/repo`, `git://…`. */
function gitRemote(text: string): string | undefined {
  const [remote] = splitAt(text, "#");
  const scp = /^([A-Za-z0-9._-]+@[A-Za-z0-9.-]+):([^/].*)$/.exec(remote);
  const short = /^(github|gitlab):([^/]+\/.+)$/.exec(remote);
  if (scp !== null) {
    return `git+ssh://${scp[1] ?? ""}/${scp[2] ?? ""}#<commit>`;
  }
  if (short !== null) {
    return `git+https://${short[1] ?? ""}.com/${short[2] ?? ""}#<commit>`;
  }
  if (remote.startsWith("ssh://")) {
    return `git+${remote}#<commit>`;
  }
  return remote.startsWith("git://") ? `git+https://${afterScheme(remote)}#<commit>` : undefined;
}

function askForCommit(form: string, name = ""): string {
  const url = splitAt(form.replace(/^git\+/, ""), "#")[0];
  // A short hash is no name that a server would know.
  const ref = name === "" || /^[0-9a-f]+$/i.test(name) ? "HEAD" : name;
  return `ask for it: git ls-remote ${url} ${ref}`;
}

/** Over HTTP a lone user name is a token more often than not; over SSH it is a name. */
function hasPassword(url: string): boolean {
  return shownSource(url) !== url;
}

function fileOf(url: string): string {
  return (url.split("?")[0] ?? "").split("/").at(-1) ?? "";
}

function afterScheme(url: string): string {
  return url.replace(/^[a-z]+:\/\//, "");
}

function withoutEnd(url: string): string {
  return url.replace(/\/+$/, "");
}

/** Both parts; the second is empty where the mark is not in the text. */
function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + mark.length)];
}
