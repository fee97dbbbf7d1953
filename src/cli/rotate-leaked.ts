import { RotationAudit, rotate } from "../rotate/index.ts";
import { prepareRotation } from "./declared-rotation.ts";
import type { LeakedSecret, LeakRotationOptions } from "./leak-rotation.ts";
import { launchesWith } from "./running-launches.ts";

/**
 * Rotates a secret that leaked, unless its store holds another value already.
 *
 * @throws What the rotation throws; it can be run again.
 */
export async function rotateLeaked(
  { name, rotation, source }: LeakedSecret,
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
