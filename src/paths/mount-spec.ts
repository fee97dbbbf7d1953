import path from "node:path";
import type { LocalPath } from "./local-path.ts";
import { checkInnerPath, checkMountPath, type MountPolicy, mountError } from "./mount-path.ts";
import type { SafePath } from "./safe-join.ts";

/** A bucket of a cloud store, for runtimes that can mount one. */
export interface BucketSource {
  readonly name: string;
  /** Only keys that start with this folder. */
  readonly keyPrefix?: string | undefined;
  /** Of a store that is not the runtime's default; https. */
  readonly endpointUrl?: string | undefined;
  readonly requesterPays?: boolean | undefined;
  /** Name under which the runtime keeps the credentials of the bucket; never a value. */
  readonly secret?: string | undefined;
}

/** One declared mount; at least one of `dir`, `volume` and `bucket`. */
export interface MountSpec {
  /** Required on purpose: runtimes mount for writing otherwise. */
  readonly readOnly: boolean;
  /** Variable that tells the job where the mount is, such as `DATA_DIR`. */
  readonly env?: string | undefined;
  /** Folder of this machine, for local runs. */
  readonly dir?: string | undefined;
  /** Named volume, for runtimes that have volumes. */
  readonly volume?: string | undefined;
  /** Folder inside the volume (default: the whole volume). */
  readonly subPath?: string | undefined;
  /** Bucket, for runtimes that can mount one. */
  readonly bucket?: BucketSource | undefined;
}

/** A checked mount. What was not declared is undefined. */
export interface Mount {
  readonly mountPath: SafePath;
  readonly readOnly: boolean;
  readonly env: string | undefined;
  /** Absolute. */
  readonly dir: string | undefined;
  readonly volume: string | undefined;
  readonly subPath: LocalPath | undefined;
  readonly bucket: BucketSource | undefined;
}

const volumePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const bucketPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{1,221}$/;
const secretPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const variablePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
/** Variables that programs act on: a mount must not be able to set them. */
const refusedVariables =
  /^(?:NOPEEK_.*|LD_.*|DYLD_.*|NODE_OPTIONS|PATH|HOME|SHELL|PYTHONPATH|PYTHONSTARTUP|BASH_ENV|ENV|IFS)$/i;

const mountOptions = ["readOnly", "env", "dir", "volume", "subPath", "bucket"] as const;
const bucketOptions = ["name", "keyPrefix", "endpointUrl", "requesterPays", "secret"] as const;

/**
 * Checks one declared mount.
 *
 * @throws {@link PathError} `MOUNT_*`
 */
export function checkMount(key: string, given: unknown, policy: MountPolicy): Mount {
  const mountPath = checkMountPath(key, policy);
  const spec = readOptions(given, mountOptions, key, "the mount");
  const invalid = (why: string) => mountError("MOUNT_INVALID", key, why);
  const { readOnly, env, volume, subPath } = spec;
  if (typeof readOnly !== "boolean") throw invalid("readOnly must be true or false");
  if (env !== undefined && !matches(env, variablePattern)) {
    throw invalid("env must be the name of a variable");
  }
  if (env !== undefined && refusedVariables.test(env)) {
    throw invalid("env must not be a variable that programs act on, or one of nopeek's own");
  }
  if (volume !== undefined && !matches(volume, volumePattern)) {
    throw invalid("volume must be a name of up to 64 letters, digits and ._-");
  }
  if (spec.dir === undefined && volume === undefined && spec.bucket === undefined) {
    throw invalid("declare a source: dir, volume or bucket");
  }
  if (volume !== undefined && spec.bucket !== undefined) {
    throw invalid("volume and bucket exclude each other");
  }
  if (subPath !== undefined && volume === undefined) throw invalid("subPath needs a volume");
  return Object.freeze({
    mountPath,
    readOnly,
    env,
    dir: spec.dir === undefined ? undefined : checkDir(spec.dir, key, policy),
    volume,
    subPath: subPath === undefined ? undefined : checkInnerPath(subPath, key, "subPath"),
    bucket: spec.bucket === undefined ? undefined : checkBucket(spec.bucket, key),
  });
}

function checkDir(dir: unknown, mount: string, { base }: MountPolicy): string {
  if (typeof dir !== "string" || dir === "" || /[\0-\x1f\x7f]/.test(dir) || !dir.isWellFormed()) {
    throw mountError("MOUNT_INVALID", mount, "dir must be the path of a folder");
  }
  if (!path.isAbsolute(dir) && base === undefined) {
    throw mountError(
      "MOUNT_INVALID",
      mount,
      "dir must be absolute, or the policy must name a base",
    );
  }
  const absolute = path.resolve(base ?? "", dir);
  if (absolute === path.parse(absolute).root) {
    throw mountError("MOUNT_RESERVED", mount, "dir is the whole file system");
  }
  return absolute;
}

function checkBucket(given: unknown, mount: string): BucketSource {
  const bucket = readOptions(given, bucketOptions, mount, "the bucket");
  const { name, requesterPays, secret } = bucket;
  const invalid = (why: string) => mountError("MOUNT_INVALID", mount, why);
  if (!matches(name, bucketPattern)) throw invalid("the bucket needs a name");
  if (requesterPays !== undefined && typeof requesterPays !== "boolean") {
    throw invalid("requesterPays of the bucket must be true or false");
  }
  if (secret !== undefined && !matches(secret, secretPattern)) {
    throw invalid("secret of the bucket must be the name of a secret");
  }
  const { keyPrefix, endpointUrl } = bucket;
  return Object.freeze({
    name,
    keyPrefix: keyPrefix === undefined ? undefined : checkInnerPath(keyPrefix, mount, "keyPrefix"),
    endpointUrl: endpointUrl === undefined ? undefined : checkEndpoint(endpointUrl, mount),
    requesterPays,
    secret,
  });
}

function checkEndpoint(given: unknown, mount: string): string {
  const url = typeof given === "string" && URL.canParse(given) ? new URL(given) : undefined;
  const isPlain = url?.username === "" && url.password === "" && url.search === "";
  if (url?.protocol !== "https:" || !isPlain) {
    const why = "endpointUrl of the bucket must be an https URL without user and query";
    throw mountError("MOUNT_INVALID", mount, why);
  }
  return url.href;
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}

/**
 * Copies options, each read once, and refuses unknown ones: `readonly` would silently mean that the
 * job may write.
 */
function readOptions<const Name extends string>(
  given: unknown,
  known: readonly Name[],
  mount: string,
  what: string,
): { readonly [Key in Name]?: unknown } {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw mountError("MOUNT_INVALID", mount, `${what} must be an object`);
  }
  const options: Record<string, unknown> = Object.create(null);
  for (const key of Reflect.ownKeys(given)) {
    if (typeof key !== "string" || !(known as readonly string[]).includes(key)) {
      const name = typeof key === "string" && /^\w{1,24}$/.test(key) ? `${key} ` : "";
      const why = `${what} has an unknown option ${name}(known are ${known.join(", ")})`;
      throw mountError("MOUNT_INVALID", mount, why);
    }
    options[key] = (given as Record<string, unknown>)[key];
  }
  return options as { readonly [Key in Name]?: unknown };
}
