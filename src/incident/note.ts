import type { AuditLog } from "../audit/index.ts";
import { SecretError } from "../secrets/index.ts";
import type { Incident } from "./incident.ts";

/**
 * Refuses a note that holds a value that leaked. The values are not known here, only their keyed
 * fingerprints: each word of the note is compared, whole, without its quotes, and behind `=` or `:`.
 *
 * @throws SecretError `TEXT_HOLDS_SECRET`.
 */
export function assertClean(note: string, { credentials }: Incident, audit: AuditLog): void {
  const leaked = new Set(credentials.flatMap(({ fingerprint }) => fingerprint ?? []));
  if (leaked.size === 0) return;
  for (const word of wordsOf(note)) {
    if (!leaked.has(audit.fingerprint(word))) continue;
    throw new SecretError(
      "TEXT_HOLDS_SECRET",
      "the note holds a value that leaked; write its name instead",
    );
  }
}

function wordsOf(note: string): Set<string> {
  const words = new Set<string>([note, note.trim()]);
  for (const word of note.split(/\s+/)) {
    const bare = word.replace(/^["'`(<[{]+|["'`)>\]},;.!?]+$/g, "");
    for (const each of [word, bare]) {
      words.add(each);
      for (const { index } of each.matchAll(/[=:]/g)) {
        words.add(each.slice(index + 1));
        words.add(each.slice(index + 1).replace(/^["'`]+|["'`]+$/g, ""));
      }
    }
  }
  words.delete("");
  return words;
}
