import { randomBytes, randomUUID } from "node:crypto";
import {
  createSecrets,
  parseReference,
  SecretError,
  type SecretErrorCode,
  type SecretProvider,
} from "nopeek";
import { gcp } from "nopeek/adapters/gcp";
import { type FaultKind, startGcp } from "nopeek/testing";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { stubCloudEnvironment, timeoutMs } from "../support/cloud-fixtures.ts";
import { gcpClient } from "../support/gcp-client.ts";

type Change = Parameters<NonNullable<SecretProvider["write"]>>[1];

const server = await startGcp();
const { project } = server;
const context = { signal: new AbortController().signal };
afterAll(() => server.close());
beforeEach(() => {
  server.reset();
  stubCloudEnvironment(server.env);
});

const provider = (): SecretProvider => gcp({ timeoutMs });
const resolver = () => createSecrets({ providers: [provider()], cache: false });
const newValue = () => randomBytes(18).toString("base64url");

/** Stores versions of a new secret, and gives its name. */
function seed(...values: readonly (string | Uint8Array)[]): string {
  const name = `t-${randomUUID()}`;
  for (const value of values) server.seed(name, value);
  return name;
}

function write(name: string, change: Change) {
  return provider().write?.(parseReference(`gcp-sm://${project}/${name}`), change, context);
}

async function failureOf(work: Promise<unknown> | undefined): Promise<SecretError> {
  const error = await work?.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SecretError);
  return error as SecretError;
}

describe("references", () => {
  test("number, alias, latest and latest-enabled name a version", async () => {
    const name = seed("value 1", "value 2", "value 3");
    server.setAliases(name, { prod: 1 });
    server.setState(name, 3, "DISABLED");
    await using secrets = resolver();
    const read = async (end: string) =>
      (await secrets.get(`gcp-sm://${project}/${name}${end}`)).reveal();
    expect(await read("?version=1")).toBe("value 1");
    expect(await read("?version=prod")).toBe("value 1");
    expect(await read("?version=latest-enabled")).toBe("value 2");
    expect(server.calls.filter((call) => call === "ListSecretVersions")).toHaveLength(1);
    for (const end of ["", "?version=latest"]) {
      const failure = await failureOf(read(end));
      expect(failure.code).toBe("SECRET_DISABLED");
      expect(failure.message).toContain("latest-enabled");
    }
    expect(await secrets.find(`gcp-sm://${project}/${name}?version=9`)).toBeNull();
    server.setState(name, 1, "DESTROYED");
    expect((await failureOf(read("?version=prod"))).code).toBe("SECRET_DISABLED");
  });

  test("latest-enabled needs no list while the newest version is enabled", async () => {
    const name = seed("value 1", "value 2");
    await resolver().get(`gcp-sm://${project}/${name}?version=latest-enabled`);
    expect(server.calls).toEqual(["AccessSecretVersion"]);
  });

  test("latest-enabled is null where no version is enabled", async () => {
    const name = seed("value 1");
    server.setState(name, 1, "DISABLED");
    const reference = `gcp-sm://${project}/${name}?version=latest-enabled`;
    expect(await resolver().find(reference)).toBeNull();
  });

  test("regional secrets and the API's own names are read", async () => {
    const full = `projects/${project}/locations/europe-west4/secrets/t-${randomUUID()}`;
    const value = newValue();
    server.seed(full, value);
    const name = full.split("/").pop();
    const texts = [
      `gcp-sm://${project}/${name}?location=europe-west4`,
      `gcp-sm://${full}`,
      `gcp-sm://${full}/versions/1`,
      `gcp-sm://${name}`,
    ];
    const own = gcp({ timeoutMs, project, location: "europe-west4" });
    await using secrets = createSecrets({ providers: [own] });
    for (const text of texts) expect((await secrets.get(text)).reveal()).toBe(value);
  });

  test.each([
    "gcp-sm://name",
    "gcp-sm://project/name/more",
    "gcp-sm://project/na.me",
    "gcp-sm://../name",
    "gcp-sm://project/name?stage=x",
    "gcp-sm://project/name?version=a/b",
    "gcp-sm://project/name?location=evil.example.com/",
    "gcp-sm://projects/p/secrets/s/versions/1?version=2",
  ])("%s is refused", async (text) => {
    expect((await failureOf(resolver().get(text))).code).toBe("REFERENCE_INVALID");
    expect(server.calls).toEqual([]);
  });

  test("100 concurrent reads of one secret are one call", async () => {
    const reference = `gcp-sm://${project}/${seed(newValue())}`;
    await using secrets = resolver();
    await Promise.all(Array.from({ length: 100 }, () => secrets.get(reference)));
    expect(server.calls).toEqual(["AccessSecretVersion"]);
  });

  test("a value comes with its version", async () => {
    const reference = parseReference(`gcp-sm://${project}/${seed("value 1", "value 2")}`);
    const [outcome] = (await provider().read?.([reference], context)) ?? [];
    expect(outcome).toMatchObject({ version: "2" });
  });
});

describe("faults", () => {
  const table: readonly (readonly [FaultKind, SecretErrorCode])[] = [
    ["denied", "SECRET_ACCESS_DENIED"],
    ["unauthenticated", "SECRET_UNAUTHENTICATED"],
    ["expired", "SECRET_UNAUTHENTICATED"],
    ["throttled", "SECRET_THROTTLED"],
    ["unavailable", "SECRET_UNREACHABLE"],
    ["internal", "SECRET_UNREACHABLE"],
    ["conflict", "SECRET_CONFLICT"],
    ["invalid", "SECRET_REQUEST_INVALID"],
    ["decryption", "SECRET_DECRYPTION"],
    ["reset", "SECRET_UNREACHABLE"],
    ["truncated", "SECRET_UNREACHABLE"],
    ["html", "SECRET_UNREACHABLE"],
    ["delay", "SECRET_UNREACHABLE"],
    ["wrong-crc", "SECRET_INTEGRITY"],
  ];

  test.concurrent.each(table)("%s is %s in time, and the next call works", async (kind, code) => {
    await using own = await startGcp();
    const value = newValue();
    own.seed("name", value);
    const patient = gcp({ endpoint: own.endpoint, timeoutMs: kind === "delay" ? 500 : 5_000 });
    await using secrets = createSecrets({ providers: [patient] });
    const reference = `gcp-sm://${own.project}/name`;
    own.fail({ kind, times: 100 });
    const startedAt = performance.now();
    const failure = await failureOf(secrets.get(reference));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(reference);
    expect(performance.now() - startedAt).toBeLessThan(kind === "delay" ? 2_000 : 6_000);
    expect(own.calls.length).toBeLessThanOrEqual(3);
    own.reset();
    expect((await secrets.get(reference)).reveal()).toBe(value);
  });

  test("a short outage is repeated, and nobody notices", async () => {
    const reference = `gcp-sm://${project}/${seed(newValue())}`;
    server.fail({ kind: "unavailable" });
    await resolver().get(reference);
    expect(server.calls).toHaveLength(2);
  });

  test("nobody listens", async () => {
    const gone = await startGcp();
    await gone.close();
    const secrets = createSecrets({ providers: [gcp({ endpoint: gone.endpoint, timeoutMs })] });
    const failure = await failureOf(secrets.get(`gcp-sm://${project}/name`));
    expect(failure.code).toBe("SECRET_UNREACHABLE");
  });

  test("credentials that cannot be loaded are an error of the call, not the end of the process", async () => {
    stubCloudEnvironment({
      SECRET_MANAGER_EMULATOR_HOST: undefined,
      GOOGLE_APPLICATION_CREDENTIALS: "/nonexistent/credentials.json",
      METADATA_SERVER_DETECTION: "none",
    });
    await using secrets = createSecrets({ providers: [gcp({ timeoutMs })] });
    for (let round = 0; round < 2; round += 1) {
      // At once: both wait for the same set-up.
      const names = ["one", "two"].map((name) => `gcp-sm://${project}/${name}`);
      const failures = await Promise.all(names.map((name) => failureOf(secrets.get(name))));
      for (const [index, { code, message }] of failures.entries()) {
        expect(code).toBe("SECRET_UNAUTHENTICATED");
        expect(message).toContain("gcloud auth");
        expect(message).toContain(names[index]);
      }
    }
  });
});

describe("endpoints and clients", () => {
  test("an open endpoint is refused, wherever it comes from", async () => {
    const refused = async (given: SecretProvider) => {
      const secrets = createSecrets({ providers: [given] });
      const failure = await failureOf(secrets.get(`gcp-sm://${project}/name`));
      expect(failure.code).toBe("ENDPOINT_REFUSED");
      expect(failure.message).not.toContain("example");
    };
    await refused(gcp({ endpoint: "http://secrets.example.com" }));
    stubCloudEnvironment({ SECRET_MANAGER_EMULATOR_HOST: "secrets.example.com:8080" });
    await refused(gcp());
  });

  test("a given client stays open", async () => {
    const client = gcpClient(server.endpoint);
    const reference = `gcp-sm://${project}/${seed(newValue())}`;
    for (let round = 0; round < 2; round += 1) {
      const given = gcp({ client, timeoutMs });
      const read = () => given.read?.([parseReference(reference)], context);
      expect(await read()).toMatchObject([{ version: "1" }]);
      await given.close?.();
      expect(await read()).toMatchObject([{ code: "SECRET_ABORTED" }]);
    }
    await client.close();
  });
});

describe("write", () => {
  test("no merge starts from the latest enabled version: changes between would be lost unseen", async () => {
    const name = `t-${randomUUID()}`;
    await write(name, { mode: "merge", fields: { keep: "1" } });
    const merging = write(`${name}?version=latest-enabled`, { mode: "merge", fields: { a: "1" } });
    await expect(merging).rejects.toMatchObject({ code: "SECRET_REQUEST_INVALID" });
  });

  test("creates, replaces, merges and removes", async () => {
    const name = `t-${randomUUID()}`;
    const reference = `gcp-sm://${project}/${name}`;
    await using secrets = resolver();
    const stored = async () => (await secrets.get(reference)).reveal();
    expect(await write(name, { mode: "merge", fields: { a: "1", b: "2" } })).toEqual({
      version: "1",
    });
    expect(JSON.parse(await stored())).toEqual({ a: "1", b: "2" });
    expect(await write(name, { mode: "merge", fields: { b: null, c: "3" } })).toEqual({
      version: "2",
    });
    expect(JSON.parse(await stored())).toEqual({ a: "1", c: "3" });
    expect(await write(name, { mode: "merge", fields: { c: "3" } })).toEqual({ version: "2" });
    await write(name, { mode: "replace", fields: { d: "4" } });
    expect(JSON.parse(await stored())).toEqual({ d: "4" });
    const bytes = Uint8Array.from([0, 255, 1]);
    await write(name, { mode: "replace", value: bytes });
    expect((await secrets.get(reference)).revealBytes()).toEqual(bytes);
  });

  test("merges at the same time keep each other's fields", async () => {
    const name = seed("{}");
    const keys = ["a", "b"];
    await Promise.all(keys.map((key) => write(name, { mode: "merge", fields: { [key]: "x" } })));
    const document = JSON.parse((await resolver().get(`gcp-sm://${project}/${name}`)).reveal());
    expect(Object.keys(document).sort()).toEqual(keys);
  });

  test("a lost answer is told, not repeated: it would make another version", async () => {
    const name = seed("before");
    server.fail({ operation: "AddSecretVersion", kind: "unavailable", after: true });
    const failure = await failureOf(write(name, { mode: "replace", value: "after" }));
    expect(failure.code).toBe("SECRET_UNREACHABLE");
    expect(server.states(name)).toHaveLength(2);
  });

  test.each<readonly [string, Change, SecretErrorCode]>([
    ["too large", { mode: "replace", value: "x".repeat(65_537) }, "SECRET_REQUEST_INVALID"],
    ["empty", { mode: "replace", value: "" }, "SECRET_EMPTY"],
    ["no document", { mode: "merge", fields: { a: "1" } }, "SECRET_MALFORMED"],
  ])("%s is refused", async (_, change, code) => {
    const name = seed("no document");
    expect((await failureOf(write(name, change))).code).toBe(code);
    expect(server.calls).not.toContain("AddSecretVersion");
  });

  test("a version cannot be written to", async () => {
    const failure = await failureOf(write("name?version=1", { mode: "replace", value: "x" }));
    expect(failure.code).toBe("REFERENCE_INVALID");
  });
});

describe("stage", () => {
  function rotatable() {
    const name = seed("first");
    server.setAliases(name, { current: 1, other: 1 });
    const reference = parseReference(`gcp-sm://${project}/${name}`);
    return { name, reference, stage: provider().stage };
  }

  test("a version is added, claimed, promoted and dropped", async () => {
    const { name, reference, stage } = rotatable();
    const made = { token: randomUUID(), base: "1", value: "second" };
    expect(await stage?.add(reference, made, context)).toBe("2");
    expect(await stage?.claim(reference, "2", "1", context)).toBe(true);
    // Another process knows it as well.
    expect(await provider().stage?.stages(reference, context)).toEqual({
      current: "1",
      previous: undefined,
      pending: "2",
      pendingBase: "1",
      pendingSinceMs: expect.any(Number),
      rotatedAtMs: undefined,
    });
    const pending = await stage?.readVersion(reference, "2", context);
    expect(Buffer.from(pending?.value ?? "").toString()).toBe("second");
    expect(await stage?.promote(reference, "1", "2", context)).toBe(true);
    expect(await stage?.promote(reference, "1", "2", context)).toBe(false);
    await stage?.drop(reference, "2", context);
    expect(server.aliases(name)).toEqual({ current: "2", previous: "1", other: "1" });
    expect(server.states(name)).toEqual(["ENABLED", "ENABLED"]);
    const current = `gcp-sm://${project}/${name}?version=current`;
    expect((await resolver().get(current)).reveal()).toBe("second");
  });

  test("of two rotators one claims, and the other's version is disabled", async () => {
    const { name, reference, stage } = rotatable();
    const add = (value: string) =>
      stage?.add(reference, { token: value, base: "1", value }, context);
    const versions = [(await add("one")) ?? "", (await add("two")) ?? ""];
    const claims = await Promise.all(
      versions.map((version) => stage?.claim(reference, version, "1", context)),
    );
    expect([...claims].sort()).toEqual([false, true]);
    const loser = versions[claims.indexOf(false)] ?? "";
    await stage?.drop(reference, loser, context);
    await stage?.drop(reference, loser, context);
    expect(server.states(name)[Number(loser) - 1]).toBe("DISABLED");
    expect(server.aliases(name)).toHaveProperty("pending");
    await stage?.drop(reference, versions[claims.indexOf(true)] ?? "", context);
    expect(server.aliases(name)).toEqual({ current: "1", other: "1" });
  });

  test("lost answers are found again", async () => {
    const { name, reference, stage } = rotatable();
    const made = { token: randomUUID(), base: "1", value: "second" };
    server.fail({ operation: "AddSecretVersion", kind: "unavailable", after: true });
    expect((await failureOf(stage?.add(reference, made, context))).code).toBe("SECRET_UNREACHABLE");
    expect(await stage?.add(reference, made, context)).toBe("2");
    expect(server.states(name)).toHaveLength(2);
    server.fail({ operation: "UpdateSecret", kind: "unavailable", after: true });
    expect(await stage?.claim(reference, "2", "1", context)).toBe(true);
    server.fail({ operation: "UpdateSecret", kind: "unavailable", after: true });
    expect(await stage?.promote(reference, "1", "2", context)).toBe(true);
    expect(server.aliases(name)).toEqual({ current: "2", previous: "1", pending: "2", other: "1" });
  });

  test("a secret without the alias is refused before a version is added", async () => {
    const name = seed("first");
    const reference = parseReference(`gcp-sm://${project}/${name}`);
    const made = { token: randomUUID(), base: "1", value: "second" };
    const failure = await failureOf(provider().stage?.add(reference, made, context));
    expect(failure.code).toBe("SECRET_REQUEST_INVALID");
    expect(failure.message).toContain("--update-version-aliases");
    expect(server.states(name)).toHaveLength(1);
  });
});
