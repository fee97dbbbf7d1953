/**
 * A small rotation over the stage operations of the cloud adapters: whatever call it dies at, and
 * however many run at once, the current value works at every moment and the next run ends the work.
 */
import { randomUUID } from "node:crypto";
import { parseReference, type Reference, type SecretProvider } from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { gcp } from "nopeek/adapters/gcp";
import { type LoopbackServer, startAws, startGcp } from "nopeek/testing";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { stubCloudEnvironment } from "../support/cloud-fixtures.ts";

type Stage = NonNullable<SecretProvider["stage"]>;

interface Credential {
  readonly user: string;
  readonly password: string;
}

interface Rotatable {
  readonly server: LoopbackServer;
  readonly stage: Stage;
  /** A new secret with the value. */
  seed(value: string): Reference;
}

const context = { signal: new AbortController().signal };
const awsServer = await startAws();
const gcpServer = await startGcp();
afterAll(() => Promise.all([awsServer.close(), gcpServer.close()]));
beforeEach(() => stubCloudEnvironment(awsServer.env));

const stores: readonly (readonly [string, Rotatable])[] = [
  [
    "aws",
    {
      server: awsServer,
      stage: aws({ endpoint: awsServer.endpoint, region: "us-east-1", maxAttempts: 1 })
        .stage as Stage,
      seed(value) {
        const name = randomUUID();
        awsServer.seed(name, value);
        return parseReference(`aws-sm://${name}`);
      },
    },
  ],
  [
    "gcp",
    {
      server: gcpServer,
      stage: gcp({ endpoint: gcpServer.endpoint, maxAttempts: 1 }).stage as Stage,
      seed(value) {
        const name = randomUUID();
        gcpServer.seed(name, value);
        gcpServer.setAliases(name, { current: 1 });
        return parseReference(`gcp-sm://${gcpServer.project}/${name}`);
      },
    },
  ],
];

/** Rotates away from version `goal` with two users that take turns. */
async function rotate(
  stage: Stage,
  reference: Reference,
  target: Map<string, string>,
  goal: string,
) {
  const read = async (version: string): Promise<Credential> => {
    const { value } = await stage.readVersion(reference, version, context);
    return JSON.parse(Buffer.from(value).toString());
  };
  for (let round = 0; round < 10; round += 1) {
    const { current = "", pending, pendingBase } = await stage.stages(reference, context);
    if (pending !== undefined && (pending === current || pendingBase !== current)) {
      await stage.drop(reference, pending, context);
    } else if (current !== goal) {
      return current;
    } else if (pending === undefined) {
      const { user } = await read(current);
      const next = { user: user === "app" ? "app_clone" : "app", password: randomUUID() };
      const made = { token: randomUUID(), base: current, value: JSON.stringify(next) };
      const added = await stage.add(reference, made, context);
      if (!(await stage.claim(reference, added, current, context))) {
        await stage.drop(reference, added, context);
      }
    } else {
      const { user, password } = await read(pending);
      target.set(user, password);
      await stage.promote(reference, current, pending, context);
    }
  }
  throw new Error("gave up");
}

describe.each(stores)("%s", (_, { server, stage, seed }) => {
  async function world() {
    const first: Credential = { user: "app", password: randomUUID() };
    const reference = seed(JSON.stringify(first));
    const target = new Map([[first.user, first.password]]);
    const { current: goal = "" } = await stage.stages(reference, context);
    server.reset();
    const check = async () => {
      const { current = "", previous, pending } = await stage.stages(reference, context);
      const { value } = await stage.readVersion(reference, current, context);
      const { user, password }: Credential = JSON.parse(Buffer.from(value).toString());
      expect(target.get(user)).toBe(password);
      return { current, previous, pending };
    };
    return { reference, target, goal, check };
  }

  test("resumes after dying at any call, before or after its effect", async () => {
    const clean = await world();
    await rotate(stage, clean.reference, clean.target, clean.goal);
    const calls = server.calls.length;
    expect(calls).toBeGreaterThan(8);
    for (let skip = 0; skip < calls; skip += 1) {
      for (const after of [false, true]) {
        const { reference, target, goal, check } = await world();
        server.fail({ kind: "denied", skip, after });
        await rotate(stage, reference, target, goal).catch(() => {});
        server.reset();
        await check();
        await rotate(stage, reference, target, goal);
        const { current, previous, pending } = await check();
        expect({ previous, pending }).toEqual({ previous: goal, pending: undefined });
        expect(current).not.toBe(goal);
      }
    }
  });

  test("of three at once one wins, and the others find its work done", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { reference, target, goal, check } = await world();
      const rotators = [1, 2, 3].map(() => rotate(stage, reference, target, goal));
      const ended = await Promise.all(rotators);
      const { current, previous, pending } = await check();
      expect(ended).toEqual([current, current, current]);
      expect({ previous, pending }).toEqual({ previous: goal, pending: undefined });
    }
  });
});
