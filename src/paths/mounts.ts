import { isAbsolute } from "node:path";
import { PathError } from "./errors.ts";
import { type LocalPath, splitLocal } from "./local-path.ts";
import {
  checkContainerPath,
  foldPath,
  isUnder,
  type MountPolicy,
  mountError,
} from "./mount-path.ts";
import { checkMount, type Mount, type MountSpec } from "./mount-spec.ts";
import { openRoot, openRootSync, type Root } from "./root.ts";
import type { RootOptions } from "./root-options.ts";
import type { SafePath } from "./safe-join.ts";

/** Where a path of a container comes from. */
export interface Located {
  readonly mount: Mount;
  /** Path inside the mount; empty for the mount itself. */
  readonly relative: LocalPath | "";
  /** Path inside the volume or bucket, with its `subPath` or `keyPrefix`. */
  readonly inSource: LocalPath | "";
}

/** The mounts of a launch, checked. It says what lies where; it mounts nothing. */
export class MountTable<Path extends string = string> {
  /** In the order of declaration. */
  readonly mounts: readonly Mount[];

  /** @internal Use `defineMounts`. */
  constructor(mounts: readonly Mount[]) {
    this.mounts = Object.freeze([...mounts]);
    Object.freeze(this);
  }

  /** @throws {@link PathError} `MOUNT_UNDECLARED`. */
  get(mountPath: Path): Mount {
    const mount = this.mounts.find((candidate) => candidate.mountPath === (mountPath as string));
    if (mount === undefined) {
      throw new PathError("MOUNT_UNDECLARED", "no mount is declared at this path", mountPath);
    }
    return mount;
  }

  /**
   * A path in the container, below a mount.
   *
   * @throws {@link PathError} `MOUNT_UNDECLARED`, `PATH_ESCAPE`, `PATH_INVALID`.
   */
  join(mountPath: Path, ...segments: string[]): SafePath {
    const parts = segments.flatMap((segment) => splitLocal(segment, "posix"));
    return [this.get(mountPath).mountPath, ...parts].join("/") as SafePath;
  }

  /**
   * Finds the mount of a path in the container: of nested ones, the inner.
   *
   * @throws {@link PathError} `MOUNT_UNDECLARED`, `PATH_ESCAPE`, `PATH_INVALID`.
   */
  locate(containerPath: string): Located {
    if (typeof containerPath !== "string" || !/^\/[^/]/.test(containerPath)) {
      throw new PathError("PATH_ESCAPE", "a path in a container must be absolute", containerPath);
    }
    const path = `/${splitLocal(containerPath.slice(1), "posix").join("/")}`;
    const [mount] = this.mounts
      .filter(({ mountPath }) => isUnder(path, mountPath))
      .sort((one, other) => other.mountPath.length - one.mountPath.length);
    if (mount === undefined) {
      throw new PathError("MOUNT_UNDECLARED", "the path is under no declared mount", containerPath);
    }
    const relative = path.slice(mount.mountPath.length + 1) as LocalPath | "";
    const above = mount.subPath ?? mount.bucket?.keyPrefix ?? "";
    const inSource = [above, relative].filter((part) => part !== "").join("/");
    return { mount, relative, inSource: inSource as LocalPath | "" };
  }

  /** @throws {@link PathError} `PATH_READ_ONLY`, and what `locate` throws. */
  assertWritable(containerPath: string): Located {
    const located = this.locate(containerPath);
    if (located.mount.readOnly) {
      throw new PathError("PATH_READ_ONLY", "the mount is declared read-only", containerPath);
    }
    return located;
  }

  /**
   * Opens the local folder of a mount; a mount that is `readOnly` cannot be written through it.
   *
   * @throws {@link PathError} `MOUNT_UNDECLARED`, `MOUNT_NOT_LOCAL`, and what `openRoot` throws.
   */
  async openRoot(mountPath: Path, options: RootOptions = {}): Promise<Root> {
    return await openRoot(...this.#local(mountPath, options));
  }

  /** Like {@link MountTable.openRoot}. */
  openRootSync(mountPath: Path, options: RootOptions = {}): Root {
    return openRootSync(...this.#local(mountPath, options));
  }

  #local(mountPath: Path, options: RootOptions): [string, RootOptions] {
    const { dir, readOnly } = this.get(mountPath);
    if (dir === undefined) {
      throw mountError("MOUNT_NOT_LOCAL", mountPath, "no dir is declared to open on this machine");
    }
    return [dir, readOnly ? { ...options, readOnly } : options];
  }
}

const policyOptions = ["within", "allowReserved", "nested", "base"];

/**
 * Declares the mounts of a launch by their path in the container.
 *
 * @throws {@link PathError} `MOUNT_*`; the message names the mount and the reason.
 *
 * @example
 * const mounts = defineMounts({
 *   "/data": { env: "DATA_DIR", readOnly: true, dir: "/srv/data", volume: "datasets" },
 *   "/out": { env: "OUT_DIR", readOnly: false, volume: "runs", subPath: "run-7" },
 * });
 * mounts.join("/data", "train", shard); // "/data/train/..."
 * mounts.assertWritable("/data/x"); // throws PATH_READ_ONLY
 */
export function defineMounts<const Path extends string>(
  spec: Readonly<Record<Path, MountSpec>>,
  policy: MountPolicy = {},
): MountTable<Path> {
  const rules = checkPolicy(policy);
  const given: unknown = spec;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new PathError("MOUNT_INVALID", "mounts must be an object");
  }
  const mounts: Mount[] = [];
  for (const key of Object.keys(given)) {
    const mount = checkMount(key, (given as Readonly<Record<string, unknown>>)[key], rules);
    for (const other of mounts) checkPair(mount, other, rules);
    mounts.push(mount);
  }
  return new MountTable<Path>(mounts);
}

interface PairRule {
  readonly code: "MOUNT_DUPLICATE" | "MOUNT_OVERLAP" | "MOUNT_SOURCE_REUSED";
  readonly why: string;
  clash(one: Mount, other: Mount, policy: MountPolicy): boolean;
}

/** What two mounts of a launch may not be to each other. */
const pairRules: readonly PairRule[] = [
  {
    code: "MOUNT_DUPLICATE",
    why: "the same path, apart from capitals, as",
    clash: (one, other) => foldPath(one.mountPath) === foldPath(other.mountPath),
  },
  {
    code: "MOUNT_DUPLICATE",
    why: "the same variable as",
    clash: (one, other) => one.env !== undefined && one.env === other.env,
  },
  {
    code: "MOUNT_OVERLAP",
    why: "lies inside or around",
    clash: (one, other, { nested }) =>
      nested !== "allow" && eitherUnder(foldPath(one.mountPath), foldPath(other.mountPath)),
  },
  {
    code: "MOUNT_SOURCE_REUSED",
    why: "the same volume as",
    clash: (one, other) => one.volume !== undefined && one.volume === other.volume,
  },
  {
    code: "MOUNT_SOURCE_REUSED",
    why: "one of them may write to what the other may only read, for its dir overlaps with",
    clash: (one, other) =>
      one.readOnly !== other.readOnly &&
      one.dir !== undefined &&
      other.dir !== undefined &&
      eitherUnder(one.dir, other.dir),
  },
  {
    code: "MOUNT_SOURCE_REUSED",
    why: "one of them may write to what the other may only read, for its bucket overlaps with",
    clash: (one, other) =>
      one.readOnly !== other.readOnly &&
      one.bucket !== undefined &&
      one.bucket.name === other.bucket?.name &&
      eitherUnder(`/${one.bucket.keyPrefix ?? ""}`, `/${other.bucket.keyPrefix ?? ""}`),
  },
];

function checkPair(one: Mount, other: Mount, policy: MountPolicy): void {
  const rule = pairRules.find(({ clash }) => clash(one, other, policy));
  if (rule !== undefined) {
    throw mountError(rule.code, one.mountPath, `${rule.why} ${other.mountPath}`);
  }
}

function eitherUnder(one: string, other: string): boolean {
  const trees = [one, other].map((tree) => (tree === "/" ? "" : tree)) as [string, string];
  return isUnder(trees[0], trees[1]) || isUnder(trees[1], trees[0]);
}

function checkPolicy(given: MountPolicy): MountPolicy {
  const policy = { ...given };
  const invalid = (why: string) => new PathError("PATH_OPTION_INVALID", why);
  if (!Object.keys(policy).every((name) => policyOptions.includes(name))) {
    throw invalid(`unknown option of a mount policy; known are ${policyOptions.join(", ")}`);
  }
  const { within, allowReserved, nested, base } = policy;
  for (const list of [within, allowReserved]) {
    if (list === undefined) continue;
    if (!Array.isArray(list)) throw invalid("within and allowReserved must be lists of paths");
    for (const path of list as readonly unknown[]) checkContainerPath(String(path), String(path));
  }
  if (nested !== undefined && nested !== "refuse" && nested !== "allow") {
    throw invalid('nested must be "refuse" or "allow"');
  }
  if (base !== undefined && (typeof base !== "string" || !isAbsolute(base))) {
    throw invalid("base must be an absolute path");
  }
  return policy;
}
