import {
  type CallContext,
  type Reference,
  SecretError,
  type StageControl,
  type Stages,
} from "../../src/secrets/index.ts";
import type { GcpConnections } from "./connections.ts";
import { readVersion, versionIn } from "./read.ts";
import { assertWhole, type GcpTarget } from "./target.ts";
import { addVersion } from "./write.ts";

// Kept with the secret itself: what the pending version was made from and when it was claimed, and
// the version that a rotation ended with and when ("<version> <ms>").
const baseAnnotation = "nopeek-rotation-base";
const sinceAnnotation = "nopeek-rotation-since";
const rotatedAnnotation = "nopeek-rotated";
// Versions that were pending before, to be disabled when the rotation ends.
const replacedAnnotation = "nopeek-rotation-replaced";
const maxRounds = 5;
const maxReplaced = 20;

/** What one conditional write of the secret changes. */
interface Pointers {
  /** Alias to number. */
  readonly aliases: Map<string, string>;
  readonly annotations: Map<string, string>;
}

/** `done`: it is so already. `refused`: it must not be changed so. */
type Decision = "change" | "done" | "refused";

/**
 * Rotation by the aliases `current`, `previous` and `pending`. Aliases and annotations are changed
 * by one write, on condition that the secret's etag is still the one that was read.
 *
 * Consumers must read `?version=current`: every added version is `latest` at once.
 */
export function stageControl(connections: GcpConnections): StageControl {
  const wholeOf = (reference: Reference) => {
    const target = connections.targetOf(reference);
    assertWhole(target);
    return target;
  };
  return {
    async stages(reference, context) {
      const target = wholeOf(reference);
      const { pointers } = await readPointers(connections, target, context);
      return partsIn(pointers);
    },
    async readVersion(reference, version, context) {
      return readVersion(connections, wholeOf(reference), version, context);
    },
    async add(reference, { base, value }, context) {
      const target = wholeOf(reference);
      const { pointers } = await readPointers(connections, target, context);
      const parts = partsIn(pointers);
      assertRotatable(reference, parts, base);
      return (
        (await alreadyAdded(connections, target, { parts, value }, context)) ??
        (await addVersion(connections, target, value, context))
      );
    },
    claim(reference, version, base, context) {
      return changePointers(
        connections,
        wholeOf(reference),
        context,
        ({ aliases, annotations }) => {
          if (aliases.get("current") !== base) return "refused";
          const pending = aliases.get("pending");
          if (pending !== undefined) return pending === version ? "done" : "refused";
          setPending(aliases, annotations, version);
          annotations.set(baseAnnotation, base);
          return "change";
        },
      );
    },
    replace(reference, from, to, context) {
      return changePointers(
        connections,
        wholeOf(reference),
        context,
        ({ aliases, annotations }, round) => {
          const pending = aliases.get("pending");
          if (round > 0 && pending === to) return "done";
          if (pending !== from) return "refused";
          const replaced = [...replacedIn({ aliases, annotations }).slice(-maxReplaced), from];
          annotations.set(replacedAnnotation, replaced.join(" "));
          setPending(aliases, annotations, to);
          return "change";
        },
      );
    },
    promote(reference, from, to, context) {
      return changePointers(connections, wholeOf(reference), context, ({ aliases }, round) => {
        if (round > 0 && aliases.get("current") === to) return "done";
        if (aliases.get("current") !== from || aliases.get("pending") !== to) return "refused";
        aliases.set("previous", from);
        aliases.set("current", to);
        return "change";
      });
    },
    async finish(reference, version, context) {
      const target = wholeOf(reference);
      const { pointers } = await readPointers(connections, target, context);
      if (!isFinishing(pointers, version)) return;
      const named = new Set(pointers.aliases.values());
      for (const left of replacedIn(pointers)) {
        if (!named.has(left)) await disable(connections, target, left, context);
      }
      await changePointers(connections, target, context, ({ aliases, annotations }) => {
        if (!isFinishing({ aliases, annotations }, version)) return "done";
        endPending(aliases, annotations);
        annotations.set(rotatedAnnotation, `${version} ${Date.now()}`);
        return "change";
      });
    },
    async retire(reference, version, context) {
      const target = wholeOf(reference);
      let inUse = false;
      await changePointers(connections, target, context, ({ aliases }) => {
        inUse = aliases.get("current") === version;
        if (aliases.get("previous") !== version) return "done";
        aliases.delete("previous");
        return "change";
      });
      if (!inUse) await disable(connections, target, version, context);
    },
    async drop(reference, version, context) {
      const target = wholeOf(reference);
      let inUse = false;
      let replaced: readonly string[] = [];
      await changePointers(connections, target, context, ({ aliases, annotations }) => {
        inUse = aliases.get("current") === version || aliases.get("previous") === version;
        if (aliases.get("pending") !== version) return "done";
        replaced = replacedIn({ aliases, annotations });
        endPending(aliases, annotations);
        return "change";
      });
      if (inUse) return;
      for (const left of [version, ...replaced]) await disable(connections, target, left, context);
    },
  };
}

type Entries = Map<string, string>;

function setPending(aliases: Entries, annotations: Entries, version: string): void {
  aliases.set("pending", version);
  annotations.set(sinceAnnotation, String(Date.now()));
}

function endPending(aliases: Entries, annotations: Entries): void {
  aliases.delete("pending");
  annotations.delete(baseAnnotation);
  annotations.delete(sinceAnnotation);
  annotations.delete(replacedAnnotation);
}

function isFinishing({ aliases }: Pointers, version: string): boolean {
  return aliases.get("pending") === version && aliases.get("current") === version;
}

/** The versions that were pending before another took their place. */
function replacedIn({ annotations }: Pointers): string[] {
  return (annotations.get(replacedAnnotation) ?? "")
    .split(" ")
    .filter((part) => /^\d+$/.test(part));
}

/** Without the alias, consumers read `latest`, and would get a version before it was tested. */
function assertRotatable({ text }: Reference, { current }: Stages, base: string): void {
  if (current === undefined) {
    throw new SecretError(
      "SECRET_REQUEST_INVALID",
      `${text} has no alias "current", which rotation moves; set it with: gcloud secrets update NAME --update-version-aliases=current=NUMBER, and let consumers read ?version=current`,
    );
  }
  if (current === base) return;
  throw new SecretError("SECRET_CONFLICT", `${text}: version ${base} is not current any more`);
}

/**
 * The number of the newest version, if an earlier `add` whose answer was lost has made it: GCP takes
 * no token that would tell, but the value does.
 */
async function alreadyAdded(
  connections: GcpConnections,
  target: GcpTarget,
  { parts, value }: { parts: Stages; value: string | Uint8Array },
  context: CallContext,
): Promise<string | null> {
  const request = { parent: target.secret, pageSize: 1 };
  const [newest] = await connections.call("listSecretVersions", target, request, context);
  const version = versionIn(newest?.name);
  const { current, previous, pending } = parts;
  if (version === undefined || newest?.state !== "ENABLED") return null;
  if ([current, previous, pending].includes(version)) return null;
  try {
    const stored = await readVersion(connections, target, version, context);
    return Buffer.from(stored.value).equals(Buffer.from(value)) ? version : null;
  } catch (error) {
    // Another rotation's, which it has just taken back.
    if (error instanceof SecretError && goneCodes.has(error.code)) return null;
    throw error;
  }
}

async function disable(
  connections: GcpConnections,
  target: GcpTarget,
  version: string,
  context: CallContext,
): Promise<void> {
  const name = `${target.secret}/versions/${version}`;
  try {
    await connections.call("disableSecretVersion", target, { name }, context);
  } catch (error) {
    // Gone already.
    if (error instanceof SecretError && goneCodes.has(error.code)) return;
    throw error;
  }
}

const goneCodes = new Set<string>(["SECRET_NOT_FOUND", "SECRET_DISABLED"]);

/** Changes aliases and annotations together, again as long as only others' changes are in the way. */
async function changePointers(
  connections: GcpConnections,
  target: GcpTarget,
  context: CallContext,
  decide: (pointers: Pointers, round: number) => Decision,
): Promise<boolean> {
  for (let round = 0; round < maxRounds; round += 1) {
    const { pointers, etag } = await readPointers(connections, target, context);
    const decision = decide(pointers, round);
    if (decision !== "change") return decision === "done";
    const secret = {
      name: target.secret,
      etag,
      versionAliases: Object.fromEntries(pointers.aliases),
      annotations: Object.fromEntries(pointers.annotations),
    };
    const updateMask = { paths: ["version_aliases", "annotations"] };
    try {
      await connections.call("updateSecret", target, { secret, updateMask }, context);
      return true;
    } catch (error) {
      // Also when the answer to the same write was lost and it was repeated: read again.
      if (!(error instanceof SecretError && error.code === "SECRET_CONFLICT")) throw error;
    }
  }
  return false;
}

async function readPointers(
  connections: GcpConnections,
  target: GcpTarget,
  context: CallContext,
): Promise<{ pointers: Pointers; etag: string }> {
  const request = { name: target.secret };
  const secret = await connections.call("getSecret", target, request, context);
  const { versionAliases, annotations, etag } = secret;
  const aliases = new Map<string, string>();
  for (const [alias, version] of Object.entries(versionAliases ?? {})) {
    aliases.set(alias, String(version));
  }
  return {
    pointers: { aliases, annotations: new Map(Object.entries(annotations ?? {})) },
    etag: etag ?? "",
  };
}

function partsIn({ aliases, annotations }: Pointers): Stages {
  const [current, pending] = [aliases.get("current"), aliases.get("pending")];
  const [rotated, rotatedAt] = annotations.get(rotatedAnnotation)?.split(" ") ?? [];
  return {
    current,
    previous: aliases.get("previous"),
    pending,
    pendingBase: pending === undefined ? undefined : annotations.get(baseAnnotation),
    pendingSinceMs: pending === undefined ? undefined : timeIn(annotations.get(sinceAnnotation)),
    rotatedAtMs: rotated === current ? timeIn(rotatedAt) : undefined,
  };
}

/** A time that others may have written by hand. */
function timeIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
