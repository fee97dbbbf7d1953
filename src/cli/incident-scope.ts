import { buffer } from "node:stream/consumers";
import { env } from "../../adapters/env.ts";
import { findIncident, findScope, type Incident, type IncidentScope } from "../incident/index.ts";
import { createSecrets, Secret, SecretError } from "../secrets/index.ts";
import { exitCodes } from "./exit-codes.ts";
import type { IncidentContext } from "./incident.ts";
import { providersFor } from "./providers.ts";
import type { Streams } from "./verb.ts";

/** `nopeek incident scope ID PATH...`: exit code 1 if something was found, 2 if not all was searched. */
export async function scope(context: IncidentContext): Promise<number> {
  const { args, streams, incidents, operands } = context;
  const [id = "", ...paths] = operands;
  const incident = findIncident(incidents, id);
  const given = args.flag("value-stdin") ? [await readLeaked(streams, incident)] : [];
  const found = await searchFor(incident, paths, given, context);
  streams.stdout.write(
    args.flag("json")
      ? `${JSON.stringify({ schemaVersion: 1, ...found }, null, 2)}\n`
      : scopeText(found),
  );
  tellMissing(found, context.say);
  if (!found.isComplete) return exitCodes.couldNotLook;
  return found.files.total > 0 ? exitCodes.findings : 0;
}

/** Reads the values that leaked from their stores, and looks for them. */
export async function searchFor(
  incident: Incident,
  paths: readonly string[],
  given: readonly Secret[],
  { args, audit, base, say }: Pick<IncidentContext, "args" | "audit" | "base" | "say">,
): Promise<IncidentScope> {
  const references = incident.credentials.flatMap(({ reference }) => reference ?? []);
  await using from = createSecrets({
    providers: [env({ onWarning: say }), ...(await providersFor(references.filter(isReference)))],
    onWarning: say,
  });
  const note = args.value("note");
  return await findScope(incident, { audit: await audit.open(), from, paths, given, base, note });
}

function isReference(text: string): boolean {
  return /^[a-z][a-z0-9-]*:\/\//.test(text);
}

/** For a terminal: one line a place, as compilers write them, and a summary. */
export function scopeText({ files, runs, values }: IncidentScope): string {
  const lines = files.findings.map(
    ({ file, line, column, part, name, rule, form, fingerprint }) =>
      `${file}:${line}:${column}: ${name ?? rule ?? "a value"} (${form}${part === "text" ? "" : `, ${part}`}) ${fingerprint}`,
  );
  const more = files.total - files.findings.length;
  if (more > 0) lines.push(`and ${more} more`);
  const compared = values.filter(({ how }) => how === "compared").length;
  lines.push(
    `found ${files.total} times in ${files.filesWithFindings} of ${files.files} files; ${runs.length} runs had it`,
    ...(compared === 0
      ? []
      : [
          `${compared} values are known by their fingerprint only: of these, whole ones were found`,
        ]),
  );
  return `${lines.join("\n")}\n`;
}

/** What was not looked for or at, and what to do about it. */
export function tellMissing({ values, files }: IncidentScope, say: (line: string) => void): void {
  for (const { name, how, code } of values) {
    if (how !== "missing") continue;
    say(
      `${name ?? "a value"} was not searched: its store does not give the value that leaked (${code}); pipe it in with --value-stdin`,
    );
  }
  for (const { file, why } of files.skipped) {
    if (why !== "link" && why !== "special") say(`not looked at as a whole (${why}): ${file}`);
  }
}

async function readLeaked(streams: Streams, { credentials }: Incident): Promise<Secret> {
  const text = (await buffer(streams.stdin)).toString("utf8").replace(/\r?\n$/, "");
  if (text.trim() === "") {
    throw new SecretError(
      "USAGE",
      "standard input holds no value; pipe the one that leaked into it",
    );
  }
  return new Secret(text, { name: credentials.length === 1 ? credentials[0]?.name : undefined });
}
