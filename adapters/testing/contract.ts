import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  createSecrets,
  parseReference,
  type ReadOutcome,
  SecretError,
  type SecretErrorCode,
  type SecretProvider,
} from "../../src/secrets/index.ts";
import { stagingContract } from "./contract-stage.ts";
import { valuesPrintedBy } from "./printed.ts";

/** What a store can be made to do in a test; every provider reads. */
export type ContractFeature =
  | "fields"
  | "bytes"
  /** Refuses a credential without permission. */
  | "denied"
  | "throttled"
  | "unreachable"
  /** Does not answer for a long time. */
  | "late"
  /** Ends what is under way when the provider is closed. */
  | "close"
  /** Has versions for rotation; `seed` gives what can be rotated. */
  | "stage";

/** What the contract needs of the provider under test. */
export interface ContractFixture {
  readonly supports: ReadonlySet<ContractFeature>;
  /** Makes a provider; give it a timeout of about a second. */
  provider(): SecretProvider;
  /**
   * Stores a value under a new name.
   *
   * @returns The reference to it, without a field.
   */
  seed(value: string | Uint8Array): string | Promise<string>;
  /** A reference to what does not exist. */
  missing(): string | Promise<string>;
  /** Lets all coming reads go wrong, until `heal`. */
  fail?(how: "denied" | "throttled" | "unreachable" | "late"): void | Promise<void>;
  heal?(): void | Promise<void>;
}

export interface ContractCase {
  readonly name: string;
  /** Run it only if the fixture supports all of these. */
  readonly needs: readonly ContractFeature[];
  /** Rejects if the provider breaks the contract. */
  run(fixture: ContractFixture): Promise<void>;
}

/** No read may take longer, whatever the store does. */
const patienceMs = 15_000;

const reads: readonly ContractCase[] = [
  {
    name: "found: gives the value byte for byte",
    needs: [],
    run: (fixture) => expectValue(fixture, newValue()),
  },
  {
    name: "unicode: gives text outside of ASCII as it is",
    needs: [],
    run: (fixture) => expectValue(fixture, `${newValue()} ä€😀\u202e \u{10ffff}`),
  },
  {
    name: "large: gives 64 KiB whole",
    needs: [],
    run: (fixture) => expectValue(fixture, randomBytes(32_768).toString("hex")),
  },
  {
    name: "bytes: gives bytes that are no text as they are",
    needs: ["bytes"],
    run: (fixture) => expectValue(fixture, Uint8Array.from([0, 255, 254, ...randomBytes(29), 10])),
  },
  {
    name: "missing: is null, not an error",
    needs: [],
    async run(fixture) {
      const outcome = await readOne(fixture, await fixture.missing());
      assert.equal(outcome, null, "what does not exist is null");
    },
  },
  {
    name: "many: answers in the order of the references, and one missing does not fail the others",
    needs: [],
    async run(fixture) {
      const values = [newValue(), newValue(), newValue()];
      const references = await Promise.all(values.map((value) => fixture.seed(value)));
      references.splice(1, 0, await fixture.missing());
      const outcomes = await read(fixture, references);
      assert.equal(outcomes[1], null, "the missing one is null");
      const found = [outcomes[0], outcomes[2], outcomes[3]].map(textOf);
      assert.ok(
        found.every((text, index) => text === values[index]),
        "the others are in order",
      );
    },
  },
  {
    name: "concurrent: many callers at once get the same value",
    needs: [],
    async run(fixture) {
      const value = newValue();
      const reference = await fixture.seed(value);
      await using secrets = createSecrets({ providers: [fixture.provider()] });
      const all = await Promise.all(Array.from({ length: 50 }, () => secrets.get(reference)));
      assert.ok(
        all.every((secret) => secret.reveal() === value),
        "every caller gets the value",
      );
    },
  },
];

const fields: readonly ContractCase[] = [
  {
    name: "field: is selected from a JSON document",
    needs: ["fields"],
    async run(fixture) {
      const token = newValue();
      const reference = await fixture.seed(JSON.stringify({ token, other: 1 }));
      await using secrets = createSecrets({ providers: [fixture.provider()] });
      assert.ok((await secrets.get(`${reference}#token`)).reveal() === token, "the field's value");
      assert.equal(await secrets.find(`${reference}#absent`), null, "an absent field is null");
      await expectCode(secrets.get(`${reference}#other`), ["SECRET_FIELD_INVALID"], [token]);
    },
  },
  {
    name: "malformed: a field of what is no JSON document is refused, and nothing is quoted",
    needs: ["fields"],
    async run(fixture) {
      const value = newValue();
      const reference = await fixture.seed(value);
      await using secrets = createSecrets({ providers: [fixture.provider()] });
      await expectCode(secrets.get(`${reference}#token`), ["SECRET_MALFORMED"], [value]);
    },
  },
];

const failures: readonly ContractCase[] = (
  [
    ["denied", ["SECRET_ACCESS_DENIED"]],
    ["throttled", ["SECRET_THROTTLED"]],
    ["unreachable", ["SECRET_UNREACHABLE"]],
    ["late", ["SECRET_UNREACHABLE"]],
  ] as const
).map(([how, codes]) => ({
  name: `${how}: is an error, not null, prints no value, and ends with its cause`,
  needs: [how],
  async run(fixture) {
    const value = newValue();
    const reference = await fixture.seed(value);
    await using secrets = createSecrets({ providers: [fixture.provider()] });
    await fixture.fail?.(how);
    try {
      await inTime(expectCode(secrets.find(reference), codes, [value]));
    } finally {
      await fixture.heal?.();
    }
    assert.ok((await secrets.get(reference)).reveal() === value, "the next read works");
  },
}));

const endings: readonly ContractCase[] = [
  {
    name: "abort: ends the caller's wait at once",
    needs: ["late"],
    async run(fixture) {
      const value = newValue();
      const reference = await fixture.seed(value);
      await using secrets = createSecrets({ providers: [fixture.provider()] });
      await fixture.fail?.("late");
      try {
        const signal = AbortSignal.timeout(50);
        await inTime(expectCode(secrets.get(reference, { signal }), ["SECRET_ABORTED"], [value]));
      } finally {
        await fixture.heal?.();
      }
    },
  },
  {
    name: "context: a read whose signal is aborted already is refused",
    needs: ["close"],
    async run(fixture) {
      const reference = await fixture.seed(newValue());
      const provider = fixture.provider();
      const context = { signal: AbortSignal.abort() };
      const outcomes = provider.read?.([parseReference(reference)], context);
      await expectCode(orThrow(outcomes), ["SECRET_ABORTED"], []);
      await provider.close?.();
    },
  },
  {
    name: "close: ends what is under way, and refuses what comes later",
    needs: ["late", "close"],
    async run(fixture) {
      const reference = await fixture.seed(newValue());
      const provider = fixture.provider();
      const secrets = createSecrets({ providers: [provider] });
      await fixture.fail?.("late");
      const underWay = expectCode(secrets.get(reference), ["SECRET_ABORTED"], []);
      setTimeout(() => void secrets.close(), 50);
      await inTime(underWay);
      await fixture.heal?.();
      await expectCode(secrets.get(reference), ["SECRET_ABORTED"], []);
      const { signal } = new AbortController();
      const later = provider.read?.([parseReference(reference)], { signal });
      await expectCode(orThrow(later), ["SECRET_ABORTED"], []);
    },
  },
];

/**
 * What every provider does, as cases for any test runner.
 *
 * @example
 * for (const { name, needs, run } of providerContract) {
 *   const skip = !needs.every((feature) => fixture.supports.has(feature));
 *   test(name, { skip }, () => run(fixture));
 * }
 */
export const providerContract: readonly ContractCase[] = [
  ...reads,
  ...fields,
  ...failures,
  ...endings,
  ...stagingContract,
];

function newValue(): string {
  return `${randomBytes(24).toString("base64url")} 'quoted' "twice" \\ end`;
}

async function expectValue(fixture: ContractFixture, value: string | Uint8Array): Promise<void> {
  const reference = await fixture.seed(value);
  await using secrets = createSecrets({ providers: [fixture.provider()] });
  const found = (await secrets.get(reference)).revealBytes();
  // Without a comparison that would print both.
  assert.ok(Buffer.from(value).equals(found), "the value is the one that was stored");
}

async function read(
  fixture: ContractFixture,
  references: readonly string[],
): Promise<readonly ReadOutcome[]> {
  const provider = fixture.provider();
  const { signal } = new AbortController();
  const parsed = references.map((reference) => parseReference(reference));
  try {
    return (await provider.read?.(parsed, { signal })) ?? [];
  } finally {
    await provider.close?.();
  }
}

async function readOne(fixture: ContractFixture, reference: string): Promise<ReadOutcome> {
  const [outcome] = await read(fixture, [reference]);
  assert.ok(outcome !== undefined, "there is an outcome for each reference");
  return outcome;
}

function textOf(outcome: ReadOutcome | undefined): string {
  assert.ok(outcome && !(outcome instanceof SecretError), "a value was found");
  return Buffer.from(outcome.value).toString();
}

/** A provider may give an error as an outcome, or throw it. */
async function orThrow(reading: Promise<readonly ReadOutcome[]> | undefined): Promise<void> {
  for (const outcome of (await reading) ?? []) if (outcome instanceof SecretError) throw outcome;
}

async function expectCode(
  reading: Promise<unknown>,
  codes: readonly SecretErrorCode[],
  values: readonly string[],
): Promise<void> {
  const error = await reading.then(
    () => assert.fail(`expected ${codes.join(" or ")}, and nothing was thrown`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SecretError, "only SecretError is thrown");
  assert.ok(codes.includes(error.code), `expected ${codes.join(" or ")}, got ${error.code}`);
  assert.equal(error.cause, undefined, "an error has no cause: foreign errors hold values");
  assert.equal(valuesPrintedBy(error, values).length, 0, "the error prints no value");
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${patienceMs} ms`)), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
