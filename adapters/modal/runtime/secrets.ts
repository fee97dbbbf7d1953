import type { Job, JobSecret } from "../../../src/launch/index.ts";
import { type Attached, SecretError } from "../../../src/secrets/index.ts";
import { checkEntries, type Entries, fitsVariable, keyObjection } from "../entries.ts";

/** The secrets of a job in the shapes that Modal has for them. */
export interface JobSecrets {
  /** Variables with values. */
  readonly entries: Entries;
  /** Values that the job finds in private files. */
  readonly files: readonly JobSecret[];
  /** Named secrets to attach, with the keys that they must have. */
  readonly named: readonly NamedSecret[];
}

interface NamedSecret {
  readonly name: string;
  readonly environment: string | undefined;
  readonly keys: readonly string[];
}

const where = "the Modal runtime";

/**
 * Checks what a job is to get before anything is sent.
 *
 * @throws SecretError `DECLARATION_INVALID`, `SECRET_REQUEST_INVALID`, `SECRET_NOT_TEXT`,
 *   `SECRET_EMPTY`, `SECRET_NOT_ATTACHABLE`.
 */
export function checkSecrets({ secrets, attached, env }: Job): JobSecrets {
  const inEnvironment = secrets.filter(({ as }) => as === "env");
  const entries = checkEntries(
    where,
    Object.assign(
      Object.create(null),
      Object.fromEntries(inEnvironment.map(({ name, value }) => [name, value])),
    ),
  );
  const files = secrets.filter(({ as }) => as === "file");
  for (const name of [...files.map(({ name }) => name), ...Object.keys(env)]) {
    const objection = /^NOPEEK_/.test(name) ? null : keyObjection(name);
    if (objection === null) continue;
    throw new SecretError("DECLARATION_INVALID", `${where}: the variable ${name} ${objection}`);
  }
  return { entries, files, named: namedSecrets(attached) };
}

/** A value that becomes a file inside the container, as it travels in a variable. */
export interface CarriedFile {
  readonly name: string;
  readonly encoding: "text" | "base64";
}

/**
 * Puts the files among the variables, for a guard inside the container that makes files of them.
 *
 * @throws SecretError As {@link checkSecrets}, and `SECRET_REQUEST_INVALID` for a file of more than
 *   128 KiB, as text or else as base64.
 */
export function carryFiles({ entries, files, named }: JobSecrets): {
  readonly secrets: JobSecrets;
  readonly carried: readonly CarriedFile[];
} {
  const carried = files.map(({ name, value }) => {
    const text = Buffer.from(value).toString("utf8");
    const isText = Buffer.from(text).equals(value) && !text.includes("\0");
    const encoding = isText ? ("text" as const) : ("base64" as const);
    const carriedAs = isText ? text : Buffer.from(value).toString("base64");
    if (!fitsVariable(name, carriedAs)) {
      throw new SecretError(
        "SECRET_REQUEST_INVALID",
        `${where}: the file ${name} is too long for the guard in the container, which takes 128 KiB (of bytes that are no text: 96 KiB); put it into a volume, or use shim: "off", which uploads it`,
      );
    }
    return { name, encoding, value: carriedAs };
  });
  const added = Object.fromEntries(carried.map(({ name, value }) => [name, value]));
  const all = checkEntries(where, Object.assign(Object.create(null), entries, added));
  return {
    secrets: { entries: all, files: [], named },
    carried: carried.map(({ name, encoding }) => ({ name, encoding })),
  };
}

/** One entry for each named secret, whichever of its keys are declared. */
function namedSecrets(attached: readonly Attached[]): NamedSecret[] {
  const named = new Map<
    string,
    { environment: string | undefined; name: string; keys: string[] }
  >();
  for (const { name: variable, attachment } of attached) {
    const { provider, environment, name, keys } = attachment;
    if (provider !== "modal") {
      throw new SecretError(
        "SECRET_NOT_ATTACHABLE",
        `${variable}: Modal attaches its own secrets only; give a second source that can be read`,
      );
    }
    if (keys.some((key) => key !== variable)) {
      throw new SecretError(
        "SECRET_NOT_ATTACHABLE",
        `${variable}: Modal injects a key under its own name; declare it as ${keys.join(", ")}, or give a second source that can be read`,
      );
    }
    const id = `${environment ?? ""}/${name}`;
    const known = named.get(id) ?? { environment, name, keys: [] };
    known.keys.push(...keys);
    named.set(id, known);
  }
  return [...named.values()];
}
