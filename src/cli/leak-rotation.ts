/** What `halt+rotate` of `nopeek run` does: the rotation of the configuration for what leaked. */
import { resolve } from "node:path";
import type { AuditLog } from "../audit/index.ts";
import type { ConfigRotation, LoadedConfig } from "../config/index.ts";
import type { MonitorOptions } from "../monitor/index.ts";
import { RotationAudit, rotate } from "../rotate/index.ts";
import { parseReference, type Reference, Secret, type SecretInput } from "../secrets/index.ts";
import { prepareRotation, referenceOf } from "./declared-rotation.ts";
import { launchesWith } from "./running-launches.ts";

export interface LeakRotationOptions {
  readonly config: LoadedConfig | null;
  readonly secrets: Readonly<Record<string, SecretInput>>;
  readonly runId: string;
  /** Where its events go. */
  readonly audit: AuditLog | undefined;
  readonly say: (message: string) => void;
}

interface Found {
  readonly name: string;
  readonly rotation: ConfigRotation;
  /** What the job was given. */
  readonly source: Reference;
}

/**
 * The `rotate` of a monitor: rotates what leaked by the rotation of the configuration that is for the
 * reference it came from; nothing where the configuration has none for any secret of the run.
 */
export function leakRotation(options: LeakRotationOptions): Pick<MonitorOptions, "rotate"> {
  const byName = new Map<string, Found>();
  for (const [name, input] of Object.entries(options.secrets)) {
    const found = rotationFor(options.config, input);
    if (found !== undefined) byName.set(name, found);
  }
  if (byName.size === 0) return {};
  return {
    async rotate({ name = "", fingerprint }) {
      const found = byName.get(name);
      if (found === undefined) return "unavailable";
      return rotateLeaked(found, fingerprint, options);
    },
  };
}

async function rotateLeaked(
  { name, rotation, source }: Found,
  fingerprint: string,
  { config, runId, audit, say }: LeakRotationOptions,
): Promise<void> {
  // Nobody is at a terminal: a pasted token can only be asked for.
  if (rotation.target.type === "pasted") {
    say(`rotation ${name} needs a person: nopeek rotate ${name} --leaked --yes`);
    throw new Error("a pasted token cannot be made here");
  }
  await using prepared = await prepareRotation(config, rotation, { say, read: undefined });
  const { from, secret, target, publish } = prepared;
  // Of several jobs that print it one rotates: what is stored by then did not leak.
  const now = await from.find(source, { maxAgeMs: 0 }).catch(() => null);
  if (now !== null && now.fingerprint !== fingerprint) {
    say(`rotation ${name}: the store holds another value already`);
    return;
  }
  const about = { correlationId: runId, reference: secret.text, strategy: target.strategy, name };
  const recorded = audit && new RotationAudit({ audit, ...about, leaked: true, overlapMs: 0 });
  await recorded?.started();
  say(`rotating ${name}, which leaked`);
  try {
    const result = await rotate({
      ...{
        from,
        secret,
        target,
        publish,
        overlapMs: rotation.overlapMs,
        apply: true,
        leaked: true,
      },
      usedBy: async (credential) => launchesWith(credential),
      onEvent: (event) => recorded?.take(event),
    });
    await recorded?.ended(result);
  } catch (error) {
    await recorded?.ended(null).catch(() => undefined);
    say(`see what is left to do: nopeek rotate ${name} --leaked`);
    throw error;
  }
}

function rotationFor(config: LoadedConfig | null, input: SecretInput): Found | undefined {
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
