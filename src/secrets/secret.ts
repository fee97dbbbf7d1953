import { SecretError } from "./errors.ts";
import { announce, forget } from "./on-secret.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Loaded at the first secret: it is a third of what importing the core would cost. */
let crypto: typeof import("node:crypto") | undefined;
/** Fingerprints of one process cannot be compared with those of another, nor guessed offline. */
let processKey: Uint8Array | undefined;

/**
 * A keyed hash of a value: equal for equal values in this process, and no help to guess one.
 */
export function fingerprintOf(bytes: Uint8Array): string {
  crypto ??= process.getBuiltinModule("node:crypto");
  processKey ??= crypto.randomBytes(32);
  const digest = crypto.createHmac("sha256", processKey).update(bytes).digest("hex");
  return `process:${digest.slice(0, 32)}`;
}

/** Stores take 64 KiB, variables 128 KiB; a larger value is a file that was taken for a secret. */
const maxBytes = 1024 * 1024;
const namePattern = /^[\w.:/@+-]{1,128}$/;
const maskPattern = /\[REDACTED(?::[\w.:/@+-]{1,128})?\]/;

/** The text that stands where a value stood: `[REDACTED:NAME]`, or `[REDACTED]` without a name. */
export function maskOf(name: string | undefined): string {
  return name === undefined ? "[REDACTED]" : `[REDACTED:${name}]`;
}

/**
 * A value that refuses to be printed.
 *
 * `String()`, template literals, `JSON.stringify` and `util.inspect` give the mask; `+` and
 * comparison with text throw `SECRET_NOT_PRINTABLE`; `structuredClone` copies no value. The one way
 * out is {@link Secret.reveal} (or {@link Secret.revealBytes}): search the code for `.reveal` to
 * find every use.
 *
 * @example
 * const token = new Secret(readToken(), { name: "HF_TOKEN" });
 * console.log(`${token}`); // [REDACTED:HF_TOKEN]
 * await fetch(url, { headers: { authorization: `Bearer ${token.reveal()}` } });
 */
export class Secret {
  #bytes: Uint8Array | null;
  readonly #name: string | undefined;

  /**
   * A keyed hash of the value, its only own property, so that deep equality follows the value.
   * `process:` says that the key is this process's own.
   */
  readonly fingerprint: string;

  /**
   * @param value - Text, or bytes (copied).
   * @param options - `name` stands in the mask: letters, digits and `_.:/@+-`, at most 128.
   * @throws {@link SecretError} `SECRET_EMPTY`, `SECRET_MALFORMED` above 1 MiB, or
   *   `DECLARATION_INVALID` for an unusable name.
   */
  constructor(value: string | Uint8Array, options: { name?: string | undefined } = {}) {
    const { name } = options;
    if (name !== undefined && !namePattern.test(name)) {
      throw new SecretError(
        "DECLARATION_INVALID",
        "the name of a secret may hold letters, digits and _.:/@+- (at most 128 characters)",
      );
    }
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new SecretError("SECRET_NOT_TEXT", `${label(name)} must be text or bytes`);
    }
    this.#bytes = typeof value === "string" ? encoder.encode(value) : Uint8Array.from(value);
    if (this.#bytes.length === 0) {
      throw new SecretError("SECRET_EMPTY", `${label(name)} is empty; leave it unset instead`);
    }
    if (this.#bytes.length > maxBytes) {
      throw new SecretError(
        "SECRET_MALFORMED",
        `${label(name)} has ${this.#bytes.length} bytes; a secret has at most ${maxBytes}`,
      );
    }
    this.#name = name;
    this.fingerprint = fingerprintOf(this.#bytes);
    Object.freeze(this);
    announce(this);
  }

  /** The name that stands in the mask, if there is one. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Whether the value is gone. */
  get isDisposed(): boolean {
    return this.#bytes === null;
  }

  /**
   * The value as text.
   *
   * @throws {@link SecretError} `SECRET_DISPOSED`, or `SECRET_NOT_TEXT` when it is not UTF-8.
   */
  reveal(): string {
    try {
      return decoder.decode(this.#live());
    } catch (error) {
      if (error instanceof SecretError) throw error;
      throw new SecretError(
        "SECRET_NOT_TEXT",
        `${label(this.#name)} is not UTF-8 text; use revealBytes()`,
      );
    }
  }

  /**
   * A copy of the value's bytes.
   *
   * @throws {@link SecretError} `SECRET_DISPOSED`.
   */
  revealBytes(): Uint8Array {
    return Uint8Array.from(this.#live());
  }

  /**
   * Overwrites the value. Redactors that know it go on masking it. JavaScript gives no promise that
   * no copy is left in memory.
   */
  [Symbol.dispose](): void {
    this.#bytes?.fill(0);
    this.#bytes = null;
    forget(this);
  }

  toString(): string {
    return maskOf(this.#name);
  }

  toJSON(): string {
    return maskOf(this.#name);
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return maskOf(this.#name);
    throw new SecretError(
      "SECRET_NOT_PRINTABLE",
      `${label(this.#name)} was added to or compared with a plain value; use reveal() if you mean it`,
    );
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return maskOf(this.#name);
  }

  #live(): Uint8Array {
    if (this.#bytes !== null) return this.#bytes;
    throw new SecretError("SECRET_DISPOSED", `${label(this.#name)} was disposed; resolve it again`);
  }
}

/**
 * Refuses a value that was copied from redacted output, before it is injected or written anywhere.
 *
 * @throws {@link SecretError} `SECRET_MASKED`.
 */
export function assertUnmasked(secret: Secret): void {
  if (!maskPattern.test(Buffer.from(secret.revealBytes()).toString("latin1"))) return;
  throw new SecretError(
    "SECRET_MASKED",
    `${label(secret.name)} holds a mask instead of a value: it was copied from redacted output; set the real value`,
  );
}

function label(name: string | undefined): string {
  return name ?? "the secret";
}
