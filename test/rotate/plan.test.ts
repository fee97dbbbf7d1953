/** That a rotation does, and reports, what its plan says, in the same order. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecrets, Secret, type SecretProvider } from "nopeek";
import { env } from "nopeek/adapters/env";
import { type RotationResult, type RotationTarget, rotate } from "nopeek/rotate";
import { memory } from "nopeek/testing";
import { expect, it } from "vitest";
import { Database, firstDocument } from "../support/rotation.ts";
import { scratch } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

/** An issuer, whose keys work from the moment in which they are made. */
function issuer(changes: Partial<RotationTarget> = {}): RotationTarget & { keys: Set<string> } {
  const keys = new Set<string>();
  return {
    keys,
    name: "issuer",
    strategy: "issuer",
    propose: async () => {
      const value = randomToken();
      keys.add(value);
      return { id: value.slice(0, 8), secret: new Secret(value) };
    },
    works: async ({ secret }) => keys.has(secret.reveal()),
    revoke: async ({ secret }) => void keys.delete(secret?.reveal() ?? ""),
    ...changes,
  };
}

function versioned() {
  const database = new Database();
  const document = JSON.stringify(firstDocument(database));
  return { store: memory({ "aws-sm://ml/db": document }), target: database.target() };
}

function versionedIssuer(withList: boolean) {
  const first = randomToken();
  const target = issuer(
    withList
      ? { list: async () => [...target.keys].map((key) => ({ id: key.slice(0, 8) })) }
      : { set: async ({ secret }) => void target.keys.add(secret.reveal()) },
  );
  const ids = withList ? { fields: { id: "user", secret: "password" } } : {};
  target.keys.add(first);
  const stored = withList ? JSON.stringify({ user: first.slice(0, 8), password: first }) : first;
  return { store: memory({ "aws-sm://ml/db": stored }), target: { ...target, ...ids } };
}

function file(target: RotationTarget & { keys: Set<string> }) {
  const first = randomToken();
  target.keys.add(first);
  const path = join(scratch(), ".env");
  writeFileSync(path, `KEY=${first}\n`, { mode: 0o600 });
  return { store: env(), target, secret: `dotenv://${path}#KEY` };
}

it.each<[string, () => ReturnType<typeof versioned> & { secret?: string }, number, string]>([
  ["two users", versioned, 86_400_000, "test create set test finish publish"],
  ["two users, at once", versioned, 0, "test create set test finish publish revoke"],
  [
    "an issuer that lists",
    () => versionedIssuer(true),
    0,
    "test create test finish publish revoke",
  ],
  ["an issuer", () => versionedIssuer(false), 0, "test create set test finish publish revoke"],
  [
    "an issuer and a file",
    () => file(issuer({ set: async () => undefined })),
    0,
    "test create set test finish publish revoke",
  ],
])(
  "%s: the report has the steps of the plan, in their order",
  async (_, make, overlapMs, steps) => {
    const { store, target, secret = "aws-sm://ml/db" } = make();
    const options = {
      from: fromOf(store),
      secret,
      target,
      publish: [copyIn()],
      overlapMs,
    };
    const plan = await rotate(options);
    const done = await rotate({ ...options, apply: true });
    expect([plan.outcome, done.outcome]).toEqual(["planned", "rotated"]);
    expect(stepsOf(done)).toBe(steps);
    // What a later run does is no part of this one's report.
    const at = plan.steps.findIndex(({ step }) => step === "wait");
    expect(stepsOf({ ...plan, steps: at === -1 ? plan.steps : plan.steps.slice(0, at) })).toBe(
      steps,
    );
  },
);

it("what earlier runs left is ended as planned", async () => {
  const { store, target } = versioned();
  const options = {
    from: fromOf(store),
    secret: "aws-sm://ml/db",
    target,
    overlapMs: 0,
    minAgeMs: 86_400_000,
  };
  const broken = { ...options, publish: ["dotenv:///missing/.env#COPY"], apply: true };
  await expect(rotate(broken)).rejects.toMatchObject({ code: "ROTATION_INCOMPLETE" });
  const now = { ...options, publish: [copyIn()] };
  const ending = await rotate(now);
  expect(stepsOf(ending)).toBe("publish finish test revoke");
  const done = await rotate({ ...now, overlapMs: 86_400_000, apply: true });
  expect([done.outcome, stepsOf(done)]).toEqual(["ended", "publish finish"]);
  // Now that the overlap is over.
  const retiring = await rotate(now);
  expect(stepsOf(retiring)).toBe("test publish revoke");
  const retired = await rotate({ ...now, apply: true });
  expect([retired.outcome, stepsOf(retired)]).toEqual(["ended", stepsOf(retiring)]);
});

function fromOf(store: SecretProvider) {
  return createSecrets({ providers: store.schemes.includes("dotenv") ? [store] : [store, env()] });
}

function copyIn(): string {
  const path = join(scratch(), ".env");
  writeFileSync(path, "COPY=old-value\n", { mode: 0o600 });
  return `dotenv://${path}#COPY`;
}

const stepsOf = ({ steps }: RotationResult) => steps.map(({ step }) => step).join(" ");
