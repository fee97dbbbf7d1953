/** Audit logs for tests: folders, keys, and an event of every type. */
import { randomBytes, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "nopeek";
import {
  type AuditEvent,
  type AuditLogOptions,
  type AuditPlace,
  eventTypes,
  type NoticeCode,
  opaque,
  openAuditLog,
} from "nopeek/audit";
import { scratch } from "./scratch.ts";

export const newKey = () => new Secret(randomBytes(32).toString("hex"), { name: "AUDIT_KEY" });
export const newId = () => opaque("id", randomUUID());

/** Two folders that do not exist yet. */
export function newPlace(folder = scratch()): AuditPlace {
  return { dir: join(folder, "log"), anchors: join(folder, "anchors") };
}

/** Opens a log that cleans nothing. */
export function openLog(options: AuditPlace & Partial<AuditLogOptions> & { key: Secret }) {
  return openAuditLog({ clean: (text) => text, ...options });
}

export function notice(count = 1, code: NoticeCode = "plain-values"): AuditEvent {
  return { type: "run.notice", correlationId: newId(), code, count };
}

/**
 * Writes a log of one file and closes it.
 *
 * @param notices - So many, one after the other.
 * @param together - And so many at once, in one group.
 */
export async function writeLog(
  place: AuditPlace,
  key: Secret,
  notices: number,
  together = 0,
): Promise<string> {
  const log = await openLog({ ...place, key });
  for (let count = 0; count < notices; count++) await log.append(notice(count));
  await Promise.all(Array.from({ length: together }, (_, count) => log.append(notice(count))));
  await log.close();
  return log.fileName;
}

/** All bytes of a log, anchors too, as text. */
export function textOf({ dir, anchors }: AuditPlace): string {
  return [dir, anchors]
    .flatMap((folder) =>
      readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")),
    )
    .join("\n");
}

/** A value that each kind of field takes. */
const samples: Readonly<Record<string, unknown>> = {
  id: "0b9f9a57-5c1e-4b8e-9a53-6a2d0f1c7e11",
  name: "HF_TOKEN",
  reference: "aws-sm://ml/hf?stage=AWSCURRENT#token",
  version: "a6b2.v7",
  fingerprint: `audit:${"0".repeat(32)}`,
  sha256: "0".repeat(64),
  actor: "uid:1000",
  word: "base64url",
  count: 3,
  flag: true,
  code: "SECRET_NOT_FOUND",
  note: "what we learned",
};

/** One valid event of every type that can be appended, as plain data. */
export function everyEvent(): Record<string, unknown>[] {
  return Object.entries(eventTypes)
    .filter(([type]) => !type.startsWith("log."))
    .map(([type, fields]) => ({
      type,
      ...Object.fromEntries(
        Object.entries<string | readonly string[]>(fields).map(([name, spec]) => [
          name.replace("?", ""),
          typeof spec === "string" ? samples[spec] : spec[0],
        ]),
      ),
    }));
}
