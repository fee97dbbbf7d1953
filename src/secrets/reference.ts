import { SecretError } from "./errors.ts";

/**
 * Where a secret is, never what it is: `scheme://path[?option=value&...][#field]`.
 *
 * The grammar is nopeek's own, not that of URLs: nothing is percent-decoded, an ARN is a path, `@`
 * is part of a name. Options come before the field.
 */
export interface Reference {
  readonly scheme: string;
  readonly path: string;
  readonly options: Readonly<Record<string, string>>;
  /** A key of the stored document, or an RFC 6901 pointer if it begins with `/`. */
  readonly field: string | undefined;
  /** Absolute folder that a relative path is meant from; undefined means the working directory. */
  readonly base: string | undefined;
  /** The reference as it was written. */
  readonly text: string;
}

const schemePattern = /^[a-z][a-z0-9-]*$/;
const credentialsPattern = /^(?:[^:/@]*:){1,4}[^:/@]*@/;
const maxLength = 2048;

/** Whether the text has the shape of a reference, whatever its scheme. */
export function looksLikeReference(text: string, schemes: Iterable<string>): boolean {
  const scheme = schemeOf(text);
  if (scheme === null) return false;
  for (const known of schemes) if (known === scheme) return true;
  return false;
}

/**
 * Reads a reference.
 *
 * @param options - `base`: the folder that a relative path is meant from.
 * @throws {@link SecretError} `REFERENCE_INVALID`. The message quotes nothing, since a literal value
 *   may have been given by mistake.
 *
 * @example
 * parseReference("aws-sm://ml/hf?stage=AWSPREVIOUS#token").field; // "token"
 */
export function parseReference(
  text: string,
  options: { base?: string | undefined } = {},
): Reference {
  const scheme = schemeOf(text);
  if (scheme === null) {
    throw invalid(
      "it must have the form scheme://path, such as env://HF_TOKEN (a value itself is never accepted)",
    );
  }
  if (text.length > maxLength) throw invalid(`it is longer than ${maxLength} characters`);
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (code < 0x20 || code === 0x7f) throw invalid("it holds a control character");
  }
  let rest = text.slice(scheme.length + 3);
  let field: string | undefined;
  const hash = rest.indexOf("#");
  if (hash !== -1) {
    field = rest.slice(hash + 1);
    rest = rest.slice(0, hash);
    if (field === "") throw invalid("nothing follows its #");
    if (/\?[a-z]+=/.test(field)) {
      throw invalid("options come before the field: scheme://path?option=value#field");
    }
  }
  const question = rest.indexOf("?");
  const path = question === -1 ? rest : rest.slice(0, question);
  if (path === "") throw invalid("nothing follows its ://");
  if (credentialsPattern.test(path)) {
    throw invalid("it holds user:password@; credentials do not belong into a reference");
  }
  return Object.freeze({
    scheme,
    path,
    options: question === -1 ? noOptions : readOptions(rest.slice(question + 1)),
    field,
    base: options.base,
    text,
  });
}

const noOptions: Reference["options"] = Object.freeze(Object.create(null));

function readOptions(query: string): Reference["options"] {
  const options: Record<string, string> = Object.create(null);
  for (const part of query.split("&")) {
    const equals = part.indexOf("=");
    const name = part.slice(0, equals);
    if (equals < 1 || equals === part.length - 1 || !/^[a-z][a-z-]*$/.test(name)) {
      throw invalid("its options must have the form ?name=value&name=value");
    }
    if (name in options) throw invalid(`its option "${name}" stands twice`);
    options[name] = part.slice(equals + 1);
  }
  return Object.freeze(options);
}

function schemeOf(text: string): string | null {
  const end = text.indexOf("://");
  if (end < 1 || end > 32) return null;
  const scheme = text.slice(0, end);
  return schemePattern.test(scheme) ? scheme : null;
}

function invalid(why: string): SecretError {
  return new SecretError("REFERENCE_INVALID", `the reference is not valid: ${why}`);
}
