import type { Code } from "../../../src/launch/index.ts";
import { openRoot, PathError, type Root } from "../../../src/paths/index.ts";
import type { Finding } from "../../../src/redact/index.ts";
import { SecretError } from "../../../src/secrets/index.ts";
import { pathPattern } from "./globs.ts";
import { knownSecrets } from "./known.ts";

/** A file that is to be uploaded. */
interface CodeFile {
  /** Relative to the folder of the code. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly isExecutable: boolean;
}

/** What was found in the folder of the code. */
export interface CodeFiles {
  readonly files: readonly CodeFile[];
  /** Files that may hold credentials, by their names: never uploaded. */
  readonly refused: readonly string[];
  /** Links, sockets and the like: not uploaded. */
  readonly skipped: readonly string[];
}

/** Folders that are never uploaded: history may hold what was deleted, the others belong to this machine. */
const leftOutFolders =
  /^(?:\.git|\.hg|\.svn|node_modules|__pycache__|\.venv|venv|\.(?:mypy|pytest|ruff)_cache)$/;

/** Names of files and folders that are made to hold credentials. */
const credentialNames: readonly RegExp[] = [
  /^\.env(?:\..*|rc)?$/,
  /\.env$/,
  /^\.(?:netrc|npmrc|pypirc|pgpass|git-credentials|boto|s3cfg|dockercfg|htpasswd|modal\.toml)$/,
  /^\.(?:aws|ssh|gnupg|kube|docker|azure|huggingface)$/,
  /^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/,
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg)$/,
  /^(?:credentials|secrets?)(?:\.(?:json|ya?ml|toml|ini|txt))?$/,
  /^(?:service[-_]?account|gcp[-_]?key|application_default_credentials).*\.json$/,
];

const maxFiles = 5_000;

/**
 * Reads the files of a program through an open root: nothing outside of its folder is read, whatever
 * links there are and whoever moves them.
 *
 * @throws SecretError `FILE_NOT_FOUND`, `DECLARATION_INVALID` for too much, and `TEXT_HOLDS_SECRET`
 *   for a file that holds a known value.
 */
export async function readCode(code: Code): Promise<CodeFiles> {
  let root: Root;
  try {
    root = await openRoot(code.dir, { readOnly: true });
  } catch (error) {
    if (error instanceof PathError) throw error;
    throw new SecretError(
      "FILE_NOT_FOUND",
      `the folder of the code, ${code.dir}, cannot be opened`,
    );
  }
  await using open = root;
  const found = { files: [] as CodeFile[], refused: [] as string[], skipped: [] as string[] };
  const include = code.include.map(pathPattern);
  const exclude = code.exclude.map(pathPattern);
  let size = 0;

  async function walk(folder: string): Promise<void> {
    for (const entry of await open.readdir(folder === "" ? "." : folder, { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (exclude.some((pattern) => pattern.test(path))) continue;
      if (entry.kind === "directory") {
        if (leftOutFolders.test(entry.name)) continue;
        if (isCredential(entry.name)) found.refused.push(`${path}/`);
        else await walk(path);
      } else if (!include.some((pattern) => pattern.test(path))) {
      } else if (isCredential(entry.name)) found.refused.push(path);
      else if (entry.kind === "file") await take(path);
      else found.skipped.push(path);
    }
  }

  async function take(path: string): Promise<void> {
    const info = await open.stat(path);
    size += info.size;
    if (size > code.maxBytes || found.files.length >= maxFiles) {
      throw new SecretError(
        "DECLARATION_INVALID",
        `the code in ${code.dir} is more than ${code.maxBytes} bytes or ${maxFiles} files; leave out data with exclude, mount it, or raise maxBytes`,
      );
    }
    const bytes = await open.readFile(path);
    found.files.push({ path, bytes, isExecutable: (info.mode & 0o100) !== 0 });
  }

  await walk("");
  if (found.files.length === 0) {
    throw new SecretError("DECLARATION_INVALID", `there is no file to upload in ${code.dir}`);
  }
  await assertFilesClean(found.files);
  return found;
}

function isCredential(name: string): boolean {
  return credentialNames.some((pattern) => pattern.test(name.toLowerCase()));
}

/** @throws SecretError `TEXT_HOLDS_SECRET` that names the file, the line and the secret. */
async function assertFilesClean(files: readonly CodeFile[]): Promise<void> {
  const redactor = knownSecrets();
  for (const { path, bytes } of files) {
    let first: Finding | undefined;
    const stream = redactor.stream({
      hold: "strict",
      onFinding: (finding) => {
        first ??= finding;
      },
    });
    stream.resume();
    await new Promise<void>((settle, fail) => {
      stream.on("end", settle).on("error", fail).end(bytes);
    });
    const inName = redactor.find(path)[0];
    if (inName !== undefined) {
      throw new SecretError(
        "TEXT_HOLDS_SECRET",
        `the name of a file of the code holds the value of ${inName.name ?? "a secret"}; rename it`,
      );
    }
    if (first === undefined) continue;
    const line = bytes.subarray(0, first.offset).filter((byte) => byte === 0x0a).length + 1;
    throw new SecretError(
      "TEXT_HOLDS_SECRET",
      `${path}, line ${line}, holds the value of ${first.name ?? "a secret"} (${first.form}); remove it, or leave the file out with exclude`,
    );
  }
}
