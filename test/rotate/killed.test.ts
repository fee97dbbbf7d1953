/**
 * A rotation over the real clients whose process is killed at a call, and then run again: always
 * exactly one current credential that works, and nothing pending left. Every call with `SLOW=1`.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startAws, startGcp, startIam } from "nopeek/testing";
import { afterAll, describe, expect, it } from "vitest";
import { runFile } from "../support/node-child.ts";
import { allProcesses } from "../support/postgres.ts";
import { programs } from "../support/rotation.ts";
import { isSlow, scratch } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

const [awsServer, gcpServer, iamServer] = [await startAws(), await startGcp(), await startIam()];
afterAll(() => Promise.all([awsServer.close(), gcpServer.close(), iamServer.close()]));

const env = {
  PATH: process.env["PATH"] ?? "",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  no_proxy: "127.0.0.1",
  ...iamServer.env,
};
const nameOf = (value: string) => createHash("sha256").update(value).digest("hex").slice(0, 40);
let count = 0;

/** A store with a document, and what is known of its versions behind everybody's back. */
const stores = {
  aws: {
    seed: (name: string, document: string) => {
      awsServer.seed(name, document);
      return { secret: `aws-sm://${name}`, endpoint: awsServer.endpoint };
    },
    current: async (name: string) => readOf(`aws-sm://${name}`),
    pending: (name: string) => Object.values(awsServer.labels(name)).flat().includes("AWSPENDING"),
  },
  gcp: {
    seed: (name: string, document: string) => {
      gcpServer.seed(name, document);
      gcpServer.setAliases(name, { current: 1 });
      return { secret: `gcp-sm://${gcpServer.project}/${name}`, endpoint: gcpServer.endpoint };
    },
    current: async (name: string) =>
      readOf(`gcp-sm://${gcpServer.project}/${name}?version=current`),
    pending: (name: string) => "pending" in gcpServer.aliases(name),
  },
};

async function readOf(reference: string): Promise<Record<string, string>> {
  const { createSecrets } = await import("nopeek");
  const { aws } = await import("nopeek/adapters/aws");
  const { gcp } = await import("nopeek/adapters/gcp");
  const { SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient(awsServer.clientOptions);
  const providers = [aws({ client }), gcp({ endpoint: gcpServer.endpoint })];
  await using secrets = createSecrets({ providers });
  return JSON.parse((await secrets.get(reference)).reveal());
}

/** A target by its programs, which keep what is accepted as names in a folder. */
function byPrograms() {
  const folder = scratch();
  mkdirSync(join(folder, "accepted"));
  const first = randomToken();
  writeFileSync(join(folder, "accepted", nameOf(first)), "");
  return {
    document: { token: first, region: "eu" },
    field: "#token",
    target: { type: "command", ...programs(folder) },
    accepts: ({ token = "" }: Record<string, string>) =>
      readdirSync(join(folder, "accepted")).includes(nameOf(token)),
    values: () => [first],
    seen: () => readFileSync(join(folder, "seen"), "utf8"),
    left: () => readdirSync(join(folder, "accepted")).length,
  };
}

function byIam() {
  count += 1;
  const user = `user-${count}`;
  const { id, secret } = iamServer.createKey(user);
  return {
    document: { accessKeyId: id, secretAccessKey: secret, region: "eu" },
    field: "",
    target: { type: "iam", user, endpoint: iamServer.endpoint },
    accepts: ({ accessKeyId = "", secretAccessKey = "" }: Record<string, string>) =>
      iamServer.accepts(accessKeyId, secretAccessKey),
    values: () => [secret],
    seen: () => "",
    left: () => iamServer.keys(user).length,
  };
}

describe.each([
  ["aws", "programs", byPrograms],
  ["aws", "iam", byIam],
  ["gcp", "programs", byPrograms],
  ["gcp", "iam", byIam],
] as const)("%s, %s", (storeName, _, make) => {
  const store = stores[storeName];

  function world() {
    const made = make();
    count += 1;
    const name = `killed-${count}`;
    const { secret, endpoint } = store.seed(name, JSON.stringify(made.document));
    const given = { store: storeName, secret: secret + made.field, endpoint, target: made.target };
    const run = (more: object) =>
      runFile("test/cases/rotate-child.mjs", [JSON.stringify({ ...given, ...more })], {
        ...awsServer.env,
        ...env,
      });
    return { ...made, name, run };
  }

  it(
    "is ended by the next run, whatever call it died at",
    async () => {
      const clean = await world().run({});
      expect(clean).toMatchObject({ code: 0, stderr: "" });
      const { calls, outcome } = JSON.parse(clean.stdout) as { calls: number; outcome: string };
      expect(outcome).toBe("rotated");
      const step = isSlow ? 1 : Math.ceil(calls / 3);
      for (let killAt = isSlow ? 1 : 2; killAt <= calls; killAt += step) {
        for (const after of isSlow ? [false, true] : [killAt % 2 === 0]) {
          const { run, name, document, accepts, values, seen, left } = world();
          const killed = await run({ killAt, after });
          expect(killed).toMatchObject({ code: null, stdout: "" });
          expect(accepts(await store.current(name))).toBe(true);
          // As an hour later: who made a place is not alive any more.
          const options = { orphanAgeMs: 0, minAgeMs: undefined };
          const again = await run({ options });
          expect([killAt, after, again.code, again.stderr]).toEqual([killAt, after, 0, ""]);
          const current = await store.current(name);
          expect([killAt, accepts(current), store.pending(name)]).toEqual([killAt, true, false]);
          expect(current["region"]).toBe("eu");
          expect(current).not.toEqual(document);
          expect(left()).toBeLessThanOrEqual(2);
          for (const value of values()) {
            expect((killed.stderr + again.stdout + again.stderr + seen()).includes(value)).toBe(
              false,
            );
            expect(allProcesses().includes(value)).toBe(false);
          }
        }
      }
    },
    isSlow ? 900_000 : 120_000,
  );
});
