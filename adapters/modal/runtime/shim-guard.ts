import type { Transform } from "node:stream";
import type { CommandEnd, Job } from "../../../src/launch/index.ts";
import { Secret } from "../../../src/secrets/index.ts";
import { createRecordFilter, type ShimRecord } from "../shim/index.ts";

/** What the launcher knows of the guard inside a container. */
export interface ShimGuard {
  /** Takes its records out of stderr. */
  readonly filter: Transform;
  /** Whether it has told that it runs. */
  readonly hasStarted: boolean;
  /** How the command ended, as the guard saw it. */
  readonly end: CommandEnd | undefined;
}

/** Follows the records of a run: findings go to the launch, everything else becomes notices. */
export function followShim(job: Job, key: Secret): ShimGuard {
  const notice = (text: string) => job.onNotice?.(text);
  const fingerprints = new Map(
    job.secrets.map(({ name, value }) => [name, new Secret(value, { name }).fingerprint]),
  );
  let hasStarted = false;
  let end: CommandEnd | undefined;

  function take(record: ShimRecord): void {
    switch (record.kind) {
      case "start":
        hasStarted = true;
        if (record.withheld.length > 0) {
          notice(
            `not given to the job: ${record.withheld.join(", ")} (in the container, but not declared; what is no secret can be set with env)`,
          );
        }
        if (record.plain.length > 0) {
          notice(`not masked, since too short or too common: ${record.plain.join(", ")}`);
        }
        if (record.missing.length > 0) {
          notice(`declared, but not in the container: ${record.missing.join(", ")}`);
        }
        break;
      case "found": {
        const { name, form, strength, stream, count } = record;
        const fingerprint = fingerprints.get(name) ?? `attached:${name}`;
        job.onFinding?.({ name, form, strength, stream, count, fingerprint });
        break;
      }
      case "end":
        end = record.signal === undefined ? { code: record.code } : { signal: record.signal };
    }
  }

  return {
    filter: createRecordFilter({ key, runId: job.runId, onRecord: take }),
    get hasStarted() {
      return hasStarted;
    },
    get end() {
      return end;
    },
  };
}
