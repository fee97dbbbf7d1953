import { randomUUID } from "node:crypto";
import { SecretError, type StageControl, type Stages, type StoredValue } from "../secrets/index.ts";
import { credentialIn } from "./credential.ts";
import type { Run } from "./run.ts";
import type { Credential } from "./target.ts";

/** What stands in a version that only holds the place of one that is being made. */
const reservedPrefix = "nopeek-reserved:";

const goneCodes: ReadonlySet<string> = new Set(["SECRET_NOT_FOUND", "SECRET_DISABLED"]);

/** Whether an error says that a version was disabled or removed. */
function isGone(error: unknown): boolean {
  return error instanceof SecretError && goneCodes.has(error.code);
}

/** The versions of one secret, for one run. A version never changes, so it is read once. */
export class Versions {
  readonly #run: Run;
  readonly #stage: StageControl;
  readonly #newToken: () => string;
  readonly #values = new Map<string, StoredValue>();
  readonly #credentials = new Map<string, Credential>();

  constructor(run: Run, stage: StageControl, newToken: () => string = randomUUID) {
    this.#run = run;
    this.#stage = stage;
    this.#newToken = newToken;
  }

  /** The versions that were read. */
  get known(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** @throws SecretError `ROTATION_REFUSED` if there is nothing to start from. */
  async stages(): Promise<Stages & { readonly current: string }> {
    const stages = await this.#stage.stages(this.#run.reference, this.#run.context);
    const { current } = stages;
    if (current !== undefined) return { ...stages, current };
    throw this.#run.refused(
      "the store names no current version; store the first credential by hand, and on GCP set its alias: gcloud secrets update NAME --update-version-aliases=current=NUMBER (consumers then read ?version=current)",
    );
  }

  async stored(version: string): Promise<StoredValue> {
    const known = this.#values.get(version);
    if (known !== undefined) return known;
    const { reference, context } = this.#run;
    const value = await this.#stage.readVersion(reference, version, context);
    this.#values.set(version, value);
    return value;
  }

  async credential(version: string): Promise<Credential> {
    const known = this.#credentials.get(version);
    if (known !== undefined) return known;
    const credential = credentialIn(this.#run.place, (await this.stored(version)).value);
    this.#credentials.set(version, credential);
    return credential;
  }

  /** Whether a version holds a credential or only a place, or was disabled or removed. */
  async kindOf(version: string): Promise<"credential" | "reserved" | "gone"> {
    try {
      const { value } = await this.stored(version);
      const start = Buffer.from(value).subarray(0, reservedPrefix.length).toString();
      return start === reservedPrefix ? "reserved" : "credential";
    } catch (error) {
      if (isGone(error)) return "gone";
      throw error;
    }
  }

  /** Adds a version that holds a credential. */
  async add(base: string, value: string | Uint8Array): Promise<string> {
    const version = await this.#stage.add(
      this.#run.reference,
      { token: this.#newToken(), base, value },
      this.#run.context,
    );
    this.#values.set(version, { value });
    return version;
  }

  /** As `credential`; `null` for a version that is gone. */
  async credentialIfAny(version: string): Promise<Credential | null> {
    try {
      return await this.credential(version);
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }

  /** Adds a version that holds a place. No two are equal: some stores tell versions by their value. */
  reserve(base: string): Promise<string> {
    return this.add(base, `${reservedPrefix}${this.#newToken()}`);
  }
}
