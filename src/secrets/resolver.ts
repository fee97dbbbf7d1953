import { Attached } from "./attached.ts";
import { Cache, type CachedRead, type Entry } from "./cache.ts";
import type { Declarations, LoadedSecrets, SecretDeclaration, SecretInput } from "./declaration.ts";
import { failureOf, SecretError, throwFailures } from "./errors.ts";
import type { SecretProvider, StoredValue, Written } from "./provider.ts";
import { cannot, Reader } from "./reader.ts";
import { looksLikeReference, parseReference, type Reference } from "./reference.ts";
import { Secret } from "./secret.ts";
import type { GetOptions, Resolution, ResolveOptions, Secrets, SecretsOptions } from "./secrets.ts";
import type { PutOptions, PutValue } from "./writing.ts";

/**
 * Puts providers behind one interface: each reference goes to the provider of its scheme, reads of
 * the same turn go out as one call, concurrent reads of one secret share it, and values of remote
 * stores are kept for a while.
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

/** A reader and what it keeps. */
interface Store {
  readonly reader: Reader;
  readonly cache: Cache;
}

/** A secret that was given and may be given again without a look at the cache. */
interface Warm {
  readonly promise: Promise<Secret>;
  readonly secret: Secret;
  /** What it was made from; it counts while the cache still has it. */
  readonly entry: Entry;
  readonly cache: Cache;
}

// Modules that not every use needs are loaded at their first: each costs about a millisecond.
class Resolver implements Secrets {
  readonly #stores = new Map<string, Store>();
  readonly #options: SecretsOptions;
  readonly #closing = new AbortController();
  /** By reference and name; a warm `get` costs little more than a look into a map. */
  readonly #warm = new Map<string, Map<string | undefined, Warm>>();

  constructor(options: SecretsOptions) {
    this.#options = options;
    const warn = options.onWarning ?? ((message: string) => process.emitWarning(message));
    for (const provider of options.providers) {
      const reader = new Reader(provider, this.#closing.signal);
      const kept = provider.local === true ? false : (options.cache ?? {});
      const store = { reader, cache: new Cache(reader, kept, warn) };
      for (const scheme of provider.schemes) {
        if (this.#stores.has(scheme)) {
          throw new SecretError(
            "DECLARATION_INVALID",
            `two providers serve ${scheme}://; give one of them only`,
          );
        }
        this.#stores.set(scheme, store);
      }
    }
  }

  get(reference: string | Reference, options: GetOptions = {}): Promise<Secret> {
    if (typeof reference === "string" && options.maxAgeMs === undefined) {
      const warm = this.#warm.get(reference)?.get(options.name);
      if (warm?.cache.isCurrent(warm.entry) === true && !warm.secret.isDisposed) {
        if (options.signal?.aborted !== true) return warm.promise;
      }
    }
    return this.#getCold(reference, options);
  }

  async #getCold(reference: string | Reference, options: GetOptions): Promise<Secret> {
    const secret = await this.find(reference, options);
    if (secret !== null) return secret;
    throw new SecretError("SECRET_NOT_FOUND", `${textOf(reference)} does not exist`);
  }

  async find(reference: string | Reference, options: GetOptions = {}): Promise<Secret | null> {
    const parsed = asReference(reference);
    const { stored, entry } = await this.#read(parsed, options);
    if (stored === null) return null;
    const secret = this.#give(new Secret(stored.value, { name: options.name }), parsed);
    const { cache } = this.#storeOf(parsed);
    if (typeof reference === "string" && entry !== undefined && cache.isCurrent(entry)) {
      const byName = this.#warm.get(reference) ?? new Map<string | undefined, Warm>();
      byName.set(options.name, { promise: Promise.resolve(secret), secret, entry, cache });
      this.#warm.set(reference, byName);
    }
    return secret;
  }

  async load<Input extends Record<string, SecretInput>>(
    declarations: Declarations<Input>,
    options: ResolveOptions = {},
  ): Promise<LoadedSecrets<Input>> {
    const resolutions = await this.resolve(declarations, options);
    throwFailures(resolutions.flatMap(({ failure }) => (failure ? [failure] : [])));
    const loaded: Record<string, Secret | Attached | null> = Object.create(null);
    for (const { name, secret, attached } of resolutions) loaded[name] = attached ?? secret;
    return loaded as LoadedSecrets<Input>;
  }

  resolve(
    declarations: Declarations,
    options: ResolveOptions = {},
  ): Promise<readonly Resolution[]> {
    return Promise.all(
      [...declarations].map(([name, declaration]) =>
        declaration instanceof Secret
          ? { name, secret: declaration, from: [] }
          : this.#resolve(name, declaration, options),
      ),
    );
  }

  async put(
    reference: string | Reference,
    value: PutValue,
    options: PutOptions = {},
  ): Promise<Written> {
    const parsed = asReference(reference);
    const { reader } = this.#storeOf(parsed);
    const { write } = await import("./writing.ts");
    try {
      return await write(reader.provider, parsed, value, options, this.#closing.signal);
    } finally {
      // Also after an error: the write may have had its effect.
      this.invalidate(parsed);
    }
  }

  invalidate(reference?: string | Reference): void {
    this.#warm.clear();
    if (reference === undefined) {
      for (const { cache } of this.#stores.values()) cache.invalidate();
    } else {
      const parsed = asReference(reference);
      this.#storeOf(parsed).cache.invalidate();
    }
  }

  providerOf(reference: string | Reference): SecretProvider {
    return this.#storeOf(asReference(reference)).reader.provider;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.invalidate();
    const closing = this.#options.providers.map(async (provider) => provider.close?.());
    const failed = (await Promise.allSettled(closing)).some(({ status }) => status === "rejected");
    if (failed) throw new SecretError("SECRET_UNREACHABLE", "a provider could not be closed");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #resolve(
    name: string,
    declaration: SecretDeclaration,
    options: ResolveOptions,
  ): Promise<Resolution> {
    const tried: string[] = [];
    try {
      this.#checkEnvironment(declaration.environment);
      const references = [declaration.from]
        .flat()
        .map((source) => parseReference(source, { base: declaration.base }));
      // What nobody here reads cannot be made a file.
      const isFile = declaration.as === "file" && options.attach !== undefined;
      const attach = isFile ? [] : options.attach;
      for (const reference of this.#usable(references, attach)) {
        tried.push(reference.text);
        const resolution = this.#attaches(reference, attach)
          ? await this.#attach(name, reference, options.signal)
          : await this.#readDeclared(name, declaration, reference, options.signal);
        if (resolution !== null) return resolution;
      }
      if (declaration.optional === true) return { name, secret: null, from: tried };
      throw new SecretError("SECRET_NOT_FOUND", `${tried.join(" and ")} ${missing(tried.length)}`);
    } catch (error) {
      return { name, secret: null, from: tried, failure: failureOf(name, error) };
    }
  }

  async #readDeclared(
    name: string,
    declaration: SecretDeclaration,
    reference: Reference,
    signal: AbortSignal | undefined,
  ): Promise<Resolution | null> {
    const coerce = declaration.coerce === true;
    const { stored } = await this.#read(reference, { signal, coerce });
    if (stored === null) return null;
    this.#assertNoReference(stored);
    const { makeSecret } = await import("./declared-value.ts");
    const secret = this.#give(await makeSecret(name, declaration, stored), reference);
    const provider = this.#storeOf(reference).reader.provider.name;
    const { version, createdAtMs, origin } = stored;
    return { name, secret, from: [reference.text], provider, version, createdAtMs, origin };
  }

  async #attach(
    name: string,
    reference: Reference,
    signal: AbortSignal | undefined,
  ): Promise<Resolution | null> {
    const { reader } = this.#storeOf(reference);
    const outcome = await reader.waitFor(reader.attach(reference), signal);
    if (outcome instanceof SecretError) throw outcome;
    if (outcome === null) return null;
    const attached = new Attached(name, outcome);
    return { name, secret: null, attached, from: [reference.text], provider: reader.provider.name };
  }

  /** Whether the secret is attached, not read: where both are possible, as the runtime asks. */
  #attaches(reference: Reference, allowed: readonly string[] | undefined): boolean {
    const { reader } = this.#storeOf(reference);
    return reader.canAttach && (allowed?.includes(reader.provider.name) ?? !reader.canRead);
  }

  /** The sources that can be read, or attached where that is allowed. */
  #usable(references: readonly Reference[], allowed: readonly string[] | undefined): Reference[] {
    const readable = (reference: Reference) => this.#storeOf(reference).reader.canRead;
    const usable = references.filter(
      (reference) => readable(reference) || this.#attaches(reference, allowed),
    );
    if (allowed === undefined && usable.some(readable)) return usable.filter(readable);
    const [first] = references;
    if (usable.length > 0 || first === undefined) return usable;
    const { provider } = this.#storeOf(first).reader;
    throw provider.capabilities.includes("attach")
      ? new SecretError(
          "SECRET_NOT_ATTACHABLE",
          `${first.text} can only be attached as a variable, by a runtime of its own; add a second source that can be read`,
        )
      : cannot(provider, "read", first);
  }

  /** A store that holds a reference: following it would let its writer choose what is injected. */
  #assertNoReference({ value }: StoredValue): void {
    if (typeof value !== "string" || !looksLikeReference(value, this.#stores.keys())) return;
    throw new SecretError(
      "DECLARATION_INVALID",
      "it holds a reference instead of a value; declare that reference itself",
    );
  }

  #checkEnvironment(environment: string | undefined): void {
    if (environment === undefined || environment === this.#options.environment) return;
    throw new SecretError(
      "ENVIRONMENT_REFUSED",
      `it belongs to the environment ${environment}, and this launch is of ${this.#options.environment ?? "none"}`,
    );
  }

  async #read(
    reference: Reference,
    options: { coerce?: boolean; maxAgeMs?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<CachedRead> {
    const { reader, cache } = this.#storeOf(reference);
    const { stored, entry } = await cache.read(reference, options);
    if (stored === null || reference.field === undefined || reader.selects(reference.scheme)) {
      return { stored, entry };
    }
    const { selectField } = await import("./field.ts");
    const { coerce = false } = options;
    const text = selectField(stored.value, reference.field, { coerce, of: reference.text });
    return { stored: text === null ? null : { ...stored, value: text }, entry };
  }

  #storeOf(reference: Reference): Store {
    const store = this.#stores.get(reference.scheme);
    if (store !== undefined) return store;
    const known = [...this.#stores.keys()].map((scheme) => `${scheme}://`).join(" ") || "none";
    throw new SecretError(
      "SCHEME_UNKNOWN",
      `no provider for ${reference.scheme}://; known here: ${known}`,
    );
  }

  #give(secret: Secret, reference: Reference): Secret {
    for (const observer of this.#options.observers ?? []) observer(secret, reference);
    return secret;
  }
}

function missing(count: number): string {
  return count === 1 ? "does not exist or is empty; set it" : "do not exist or are empty; set one";
}

function asReference(reference: string | Reference): Reference {
  return typeof reference === "string" ? parseReference(reference) : reference;
}

function textOf(reference: string | Reference): string {
  return typeof reference === "string" ? reference : reference.text;
}
