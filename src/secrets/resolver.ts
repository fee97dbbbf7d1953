import type { Declarations, LoadedSecrets, SecretDeclaration, SecretInput } from "./declaration.ts";
import { codeOf, SecretError, type SecretErrorCode, type SecretFailure } from "./errors.ts";
import { selectField } from "./field.ts";
import { plainReason } from "./plain.ts";
import type { ReadOutcome, SecretProvider, StoredValue } from "./provider.ts";
import { createReader, type Reader } from "./reader.ts";
import { parseReference, type Reference } from "./reference.ts";
import { assertUnmasked, Secret } from "./secret.ts";
import { checkText } from "./standard-schema.ts";

/** Called with every secret that a resolver gives, before the caller gets it. */
export type SecretObserver = (secret: Secret, reference: Reference) => void;

export interface SecretsOptions {
  /** Each scheme may be served by one provider. */
  readonly providers: readonly SecretProvider[];
  readonly observers?: readonly SecretObserver[];
  /** Declarations that name another environment are refused. */
  readonly environment?: string | undefined;
}

export interface GetOptions {
  /** The name that stands in the mask. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What became of one declared name; safe to print but for `secret`. */
export interface Resolution {
  readonly name: string;
  /** `null` with a failure, and for an optional secret that does not exist. */
  readonly secret: Secret | null;
  /** The reference that was taken, or those that were tried. */
  readonly from: readonly string[];
  readonly provider?: string | undefined;
  readonly version?: string | undefined;
  readonly origin?: string | undefined;
  readonly failure?: SecretFailure | undefined;
}

/** One door to every store. */
export interface Secrets {
  /**
   * Reads one secret.
   *
   * @throws {@link SecretError} `SECRET_NOT_FOUND` if the store says so, and a code of its own for
   *   whatever else is wrong.
   */
  get(reference: string | Reference, options?: GetOptions): Promise<Secret>;
  /** Like `get`, with `null` instead of `SECRET_NOT_FOUND`; everything else still throws. */
  find(reference: string | Reference, options?: GetOptions): Promise<Secret | null>;
  /**
   * Reads everything that is declared, all of it or nothing.
   *
   * @throws {@link SecretError} `SECRETS_UNRESOLVED` with every failure listed; a single failure is
   *   thrown with its own code.
   */
  load<Input extends Record<string, SecretInput>>(
    declarations: Declarations<Input>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<LoadedSecrets<Input>>;
  /** Like `load`, but tells of each name instead of throwing. */
  resolve(
    declarations: Declarations,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly Resolution[]>;
  /** Ends what is under way and closes the providers. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Puts providers behind one interface: each reference goes to the provider of its scheme, reads of
 * the same turn go out as one call, and concurrent reads of one secret share it.
 *
 * @throws {@link SecretError} `DECLARATION_INVALID` if two providers serve one scheme.
 *
 * @example
 * const secrets = createSecrets({ providers: [env()] });
 * const token = await secrets.get("env://HF_TOKEN");
 */
export function createSecrets(options: SecretsOptions): Secrets {
  return new Resolver(options);
}

class Resolver implements Secrets {
  readonly #readers = new Map<string, Reader>();
  readonly #providers: readonly SecretProvider[];
  readonly #observers: readonly SecretObserver[];
  readonly #environment: string | undefined;
  readonly #closing = new AbortController();

  constructor({ providers, observers = [], environment }: SecretsOptions) {
    this.#providers = providers;
    this.#observers = observers;
    this.#environment = environment;
    for (const provider of providers) {
      const reader = createReader(provider, this.#closing.signal);
      for (const scheme of provider.schemes) {
        if (this.#readers.has(scheme)) {
          throw new SecretError(
            "DECLARATION_INVALID",
            `two providers serve ${scheme}://; give one of them only`,
          );
        }
        this.#readers.set(scheme, reader);
      }
    }
  }

  async get(reference: string | Reference, options: GetOptions = {}): Promise<Secret> {
    const secret = await this.find(reference, options);
    if (secret !== null) return secret;
    throw new SecretError("SECRET_NOT_FOUND", `${textOf(reference)} does not exist`);
  }

  async find(reference: string | Reference, options: GetOptions = {}): Promise<Secret | null> {
    const parsed = typeof reference === "string" ? parseReference(reference) : reference;
    const stored = await this.#read(parsed, false, options.signal);
    if (stored === null) return null;
    return this.#give(new Secret(stored.value, { name: options.name }), parsed);
  }

  async load<Input extends Record<string, SecretInput>>(
    declarations: Declarations<Input>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<LoadedSecrets<Input>> {
    const resolutions = await this.resolve(declarations, options);
    const failures = resolutions.flatMap(({ failure }) => (failure ? [failure] : []));
    throwFailures(failures);
    const loaded: Record<string, Secret | null> = Object.create(null);
    for (const { name, secret } of resolutions) loaded[name] = secret;
    return loaded as LoadedSecrets<Input>;
  }

  resolve(
    declarations: Declarations,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly Resolution[]> {
    return Promise.all(
      [...declarations].map(([name, declaration]) =>
        declaration instanceof Secret
          ? { name, secret: declaration, from: [] }
          : this.#resolve(name, declaration, options.signal),
      ),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#providers.map((provider) => provider.close?.()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #resolve(
    name: string,
    declaration: SecretDeclaration,
    signal: AbortSignal | undefined,
  ): Promise<Resolution> {
    const tried: string[] = [];
    try {
      this.#checkEnvironment(declaration.environment);
      for (const source of [declaration.from].flat()) {
        const reference = parseReference(source, { base: declaration.base });
        tried.push(reference.text);
        const stored = await this.#read(reference, declaration.coerce === true, signal);
        if (stored === null) continue;
        const secret = await makeSecret(name, declaration, stored);
        this.#give(secret, reference);
        const provider = this.#readers.get(reference.scheme)?.provider.name;
        const { version, origin } = stored;
        return { name, secret, from: [reference.text], provider, version, origin };
      }
      if (declaration.optional === true) return { name, secret: null, from: tried };
      throw new SecretError("SECRET_NOT_FOUND", `${tried.join(" and ")} ${missing(tried.length)}`);
    } catch (error) {
      return { name, secret: null, from: tried, failure: failureOf(name, error) };
    }
  }

  #checkEnvironment(environment: string | undefined): void {
    if (environment === undefined || environment === this.#environment) return;
    throw new SecretError(
      "ENVIRONMENT_REFUSED",
      `it belongs to the environment ${environment}, and this launch is of ${this.#environment ?? "none"}`,
    );
  }

  async #read(
    reference: Reference,
    coerce: boolean,
    signal: AbortSignal | undefined,
  ): Promise<StoredValue | null> {
    const reader = this.#readers.get(reference.scheme);
    if (reader === undefined) {
      throw new SecretError(
        "SCHEME_UNKNOWN",
        `no provider for ${reference.scheme}://; known here: ${this.#knownSchemes()}`,
      );
    }
    const outcome: ReadOutcome = await reader.read(reference, signal);
    if (outcome instanceof SecretError) throw outcome;
    if (outcome === null || reference.field === undefined || reader.selects(reference.scheme)) {
      return outcome;
    }
    const text = selectField(outcome.value, reference.field, { coerce });
    return text === null ? null : { ...outcome, value: text };
  }

  #knownSchemes(): string {
    return [...this.#readers.keys()].map((scheme) => `${scheme}://`).join(" ") || "none";
  }

  #give(secret: Secret, reference: Reference): Secret {
    for (const observer of this.#observers) observer(secret, reference);
    return secret;
  }
}

/** A weak value is refused before it becomes a secret: from then on it would be masked everywhere. */
async function makeSecret(
  name: string,
  declaration: SecretDeclaration,
  stored: StoredValue,
): Promise<Secret> {
  assertStrong(stored.value, declaration);
  let secret = new Secret(stored.value, { name });
  if (declaration.schema !== undefined) {
    const checked = await checkText(declaration.schema, secret.reveal());
    if ("objection" in checked) {
      throw new SecretError(
        "SECRET_INVALID",
        `the value does not match its schema (${checked.objection})`,
      );
    }
    assertStrong(checked.text, declaration);
    secret = new Secret(checked.text, { name });
  }
  assertUnmasked(secret);
  return secret;
}

function assertStrong(value: string | Uint8Array, declaration: SecretDeclaration): void {
  const reason = plainReason(value);
  if (reason === null || declaration.allowWeak === true) return;
  throw new SecretError(
    "SECRET_WEAK",
    `the value is no secret to mask (${reason}): pass it as a plain variable, or declare it with allowWeak`,
  );
}

/** Throws what failed: one failure with its own code, several as `SECRETS_UNRESOLVED`. */
export function throwFailures(failures: readonly SecretFailure[]): void {
  const [first] = failures;
  if (first === undefined) return;
  if (failures.length === 1) {
    throw new SecretError(first.code, `${first.name}: ${first.message}`, { failures });
  }
  const lines = failures.map(({ name, message }) => `  ${name}: ${message}`);
  throw new SecretError(
    "SECRETS_UNRESOLVED",
    `${failures.length} secrets failed:\n${lines.join("\n")}`,
    { failures },
  );
}

function failureOf(name: string, error: unknown): SecretFailure {
  const code: SecretErrorCode = codeOf(error, "SECRET_UNREACHABLE");
  const message = error instanceof SecretError ? error.message : "the provider failed";
  return { name, code, message };
}

function missing(count: number): string {
  return count === 1 ? "does not exist or is empty; set it" : "do not exist or are empty; set one";
}

function textOf(reference: string | Reference): string {
  return typeof reference === "string" ? reference : reference.text;
}
