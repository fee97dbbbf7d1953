/** What `halt+rotate` of `nopeek run` rotates: what the configuration has a rotation for. */
import { resolve } from "node:path";
import type { AuditLog } from "../audit/index.ts";
import type { ConfigRotation, LoadedConfig } from "../config/index.ts";
import type { MonitorOptions } from "../monitor/index.ts";
import { parseReference, type Reference, Secret, type SecretInput } from "../secrets/index.ts";
import { referenceOf } from "./rotated-reference.ts";

export interface LeakRotationOptions {
  readonly config: LoadedConfig | null;
  readonly secrets: Readonly<Record<string, SecretInput>>;
  readonly runId: string;
  /** Where its events go. */
  readonly audit: AuditLog | undefined;
  readonly say: (message: string) => void;
}

export interface LeakedSecret {
  readonly name: string;
  readonly rotation: ConfigRotation;
  /** What the job was given. */
  readonly source: Reference;
}

/**
 * The `rotate` of a monitor: rotates what leaked by the rotation of the configuration that is for the
 * reference it came from; nothing where the configuration has none for any secret of the run.
 */
export async function leakRotation(
  options: LeakRotationOptions,
): Promise<Pick<MonitorOptions, "rotate">> {
  const byName = new Map<string, LeakedSecret>();
  for (const [name, input] of Object.entries(options.secrets)) {
    const found = rotationFor(options.config, input);
    if (found !== undefined) byName.set(name, found);
  }
  if (byName.size === 0) return {};
  // Most runs rotate nothing and need none of it; those that may have it before the job starts.
  const { rotateLeaked } = await import("./rotate-leaked.ts");
  return {
    async rotate({ name = "", fingerprint }) {
      const found = byName.get(name);
      if (found === undefined) return "unavailable";
      return rotateLeaked(found, fingerprint, options);
    },
  };
}

function rotationFor(config: LoadedConfig | null, input: SecretInput): LeakedSecret | undefined {
  const rotations = Object.entries(config?.rotations ?? {});
  if (input instanceof Secret || rotations.length === 0) return undefined;
  const { from, base } = typeof input === "string" ? { from: input, base: undefined } : input;
  for (const text of [from].flat()) {
    const source = parseReference(text, { base });
    const found = rotations.find(([, each]) => isOf(referenceOf(config, each), source));
    if (found !== undefined) return { name: found[0], rotation: found[1], source };
  }
  return undefined;
}

/** A rotation without a field replaces fields of the whole that its target names. */
function isOf(rotated: Reference, source: Reference): boolean {
  if (rotated.scheme !== source.scheme || pathOf(rotated) !== pathOf(source)) return false;
  return rotated.field === undefined || rotated.field === source.field;
}

/** Schemes whose paths are those of files: many spellings are one place. */
const fileSchemes: ReadonlySet<string> = new Set(["dotenv"]);

/** The path of a file by itself, that of other stores as it is. */
function pathOf({ scheme, path, base }: Reference): string {
  return fileSchemes.has(scheme) ? resolve(base ?? ".", path) : path;
}
