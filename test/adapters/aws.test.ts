import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  createSecrets,
  parseReference,
  SecretError,
  type SecretErrorCode,
  type SecretProvider,
} from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { type FaultKind, startAws } from "nopeek/testing";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { stubCloudEnvironment, timeoutMs } from "../support/cloud-fixtures.ts";

type Change = Parameters<NonNullable<SecretProvider["write"]>>[1];

const server = await startAws();
const context = { signal: new AbortController().signal };
afterAll(() => server.close());
beforeEach(() => {
  server.reset();
  stubCloudEnvironment(server.env);
});

const provider = (): SecretProvider => aws({ timeoutMs });
const resolver = () => createSecrets({ providers: [provider()], cache: false });
const newValue = () => randomBytes(18).toString("base64url");

/** Stores a value, and gives the name it has. */
function seed(value: string | Uint8Array): string {
  const name = `t/${randomUUID()}`;
  server.seed(name, value);
  return name;
}

function write(text: string, change: Change) {
  return provider().write?.(parseReference(text), change, context);
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
  test("a name, an ARN, an ARN without its end and a service's own name are all read", async () => {
    const value = newValue();
    const name = `rds!cluster-${randomUUID()}`;
    const arn = server.seed(name, value);
    await using secrets = resolver();
    for (const id of [name, arn, arn.slice(0, -7)]) {
      expect((await secrets.get(`aws-sm://${id}`)).reveal()).toBe(value);
    }
  });

  test("the ECS way of writing an ARN selects key, stage and version", async () => {
    const before = newValue();
    const name = seed(JSON.stringify({ token: before }));
    const after = newValue();
    const arn = server.seed(name, JSON.stringify({ token: after, port: 1 }));
    const old = Object.entries(server.labels(name)).find(([, held]) =>
      held.includes("AWSPREVIOUS"),
    );
    await using secrets = resolver();
    const read = async (end: string) => (await secrets.get(`aws-sm://${arn}${end}`)).reveal();
    expect(await read(":token::")).toBe(after);
    expect(await read(":token:AWSPREVIOUS:")).toBe(before);
    expect(await read(`:token::${old?.[0]}`)).toBe(before);
    expect(await secrets.find(`aws-sm://${arn}:absent::`)).toBeNull();
    const failure = await failureOf(secrets.get(`aws-sm://${arn}:port::`));
    expect(failure.code).toBe("SECRET_FIELD_INVALID");
  });

  test("stage and version are options too", async () => {
    const [first, second] = [newValue(), newValue()];
    const name = seed(first);
    server.seed(name, second);
    const [version] = Object.keys(server.labels(name));
    await using secrets = resolver();
    const read = async (end: string) => (await secrets.get(`aws-sm://${name}${end}`)).reveal();
    expect(await read("?stage=AWSPREVIOUS")).toBe(first);
    expect(await read(`?version=${version}`)).toBe(first);
    expect(await read("?stage=AWSCURRENT")).toBe(second);
    expect(await secrets.find(`aws-sm://${name}?stage=NONE`)).toBeNull();
    expect(await secrets.find(`aws-sm://${name}?version=${randomUUID()}`)).toBeNull();
  });

  test.each([
    "aws-sm://name?stag=x",
    "aws-sm://arn:aws:s3:::bucket",
    "aws-sm://arn:aws:secretsmanager:us-east-1:0:secret:",
    "aws-sm://arn:aws:secretsmanager:us-east-1:0:secret:n:k:s:v:more",
    "aws-sm://arn:aws:secretsmanager:us-east-1:0:secret:n?region=eu-west-1",
    "aws-sm://arn:aws:secretsmanager:us-east-1:0:secret:n:k:AWSCURRENT:?stage=AWSPENDING",
  ])("%s is refused", async (text) => {
    await using secrets = resolver();
    expect((await failureOf(secrets.get(text))).code).toBe("REFERENCE_INVALID");
    expect(server.calls).toEqual([]);
  });

  test("a value comes with its version and the time it was made", async () => {
    const name = seed(newValue());
    const [outcome] =
      (await provider().read?.([parseReference(`aws-sm://${name}`)], context)) ?? [];
    const [version] = Object.keys(server.labels(name));
    expect(outcome).toMatchObject({ version });
    expect(outcome).toHaveProperty("createdAtMs");
    const { createdAtMs = 0 } = outcome as { createdAtMs?: number };
    expect(Math.abs(Date.now() - createdAtMs)).toBeLessThan(60_000);
  });
});

describe("batches", () => {
  test("20 references are one call, and 41 are three", async () => {
    const names = Array.from({ length: 41 }, (_, index) => seed(`value of ${index}`));
    await using secrets = resolver();
    const read = (some: readonly string[]) =>
      Promise.all(some.map((name) => secrets.get(`aws-sm://${name}`)));
    const twenty = await read(names.slice(0, 20));
    expect(server.calls).toEqual(["BatchGetSecretValue"]);
    expect(twenty.map((secret) => secret.reveal())).toContain("value of 19");
    server.reset();
    await read(names);
    // The one left over is no batch.
    expect([...server.calls].sort()).toEqual([
      "BatchGetSecretValue",
      "BatchGetSecretValue",
      "GetSecretValue",
    ]);
  });

  test("100 concurrent reads of one secret are one call", async () => {
    const name = seed(newValue());
    await using secrets = resolver();
    await Promise.all(Array.from({ length: 100 }, () => secrets.get(`aws-sm://${name}`)));
    expect(server.calls).toEqual(["GetSecretValue"]);
  });

  test("keys of one secret in the ECS way are one call", async () => {
    const arn = server.seed(seed("unused"), JSON.stringify({ a: "first", b: "second" }));
    await using secrets = resolver();
    const read = async (key: string) => (await secrets.get(`aws-sm://${arn}:${key}::`)).reveal();
    expect(await Promise.all([read("a"), read("b")])).toEqual(["first", "second"]);
    expect(server.calls).toEqual(["GetSecretValue"]);
  });

  test("a refused batch is read one by one, and not tried again", async () => {
    server.fail({ operation: "BatchGetSecretValue", kind: "denied" });
    const names = [seed("value 0"), seed("value 1"), seed("value 2")];
    await using secrets = resolver();
    const read = () => Promise.all(names.map((name) => secrets.get(`aws-sm://${name}`)));
    const found = (await read()).map((secret) => secret.reveal());
    expect(found).toEqual(["value 0", "value 1", "value 2"]);
    await read();
    expect(server.calls.filter((call) => call === "BatchGetSecretValue")).toHaveLength(1);
    expect(server.calls.filter((call) => call === "GetSecretValue")).toHaveLength(6);
  });

  test.each<FaultKind>(["invalid", "denied"])("a batch that is %s fails nothing", async (kind) => {
    server.fail({ operation: "BatchGetSecretValue", kind });
    const names = [seed("value 0"), seed("value 1")];
    await using secrets = resolver();
    const found = await Promise.all(names.map((name) => secrets.get(`aws-sm://${name}`)));
    expect(found.map((secret) => secret.reveal())).toEqual(["value 0", "value 1"]);
  });

  test("one that fails does not fail the others, and each error names its own reference", async () => {
    const [good, deleted] = [seed(newValue()), seed(newValue())];
    server.markDeleted(deleted);
    const texts = [good, deleted, "t/none"].map((name) => `aws-sm://${name}`);
    const references = texts.map((text) => parseReference(text));
    const outcomes = await provider().read?.(references, context);
    expect(outcomes?.[0]).toHaveProperty("value");
    expect(outcomes?.[1]).toMatchObject({ code: "SECRET_DISABLED" });
    expect(outcomes?.[2]).toBeNull();

    server.fail({ kind: "expired", times: 2 });
    const failed = await provider().read?.(references, context);
    for (const [index, text] of texts.entries()) {
      expect(failed?.[index]).toMatchObject({ code: "SECRET_UNAUTHENTICATED" });
      expect(String(failed?.[index])).toContain(text);
    }
  });
});

describe("faults", () => {
  const table: readonly (readonly [FaultKind, SecretErrorCode])[] = [
    ["denied", "SECRET_ACCESS_DENIED"],
    ["unauthenticated", "SECRET_UNAUTHENTICATED"],
    ["expired", "SECRET_UNAUTHENTICATED"],
    ["throttled", "SECRET_THROTTLED"],
    ["quota", "SECRET_QUOTA_EXCEEDED"],
    ["unavailable", "SECRET_UNREACHABLE"],
    ["internal", "SECRET_UNREACHABLE"],
    ["conflict", "SECRET_CONFLICT"],
    ["invalid", "SECRET_REQUEST_INVALID"],
    ["decryption", "SECRET_DECRYPTION"],
    ["reset", "SECRET_UNREACHABLE"],
    ["truncated", "SECRET_UNREACHABLE"],
    ["html", "SECRET_UNREACHABLE"],
    ["delay", "SECRET_UNREACHABLE"],
  ];

  test.concurrent.each(table)("%s is %s in time, and the next call works", async (kind, code) => {
    await using own = await startAws();
    const value = newValue();
    own.seed("name", value);
    // Time for the SDK's own repetitions of what was throttled.
    const patient = aws({ endpoint: own.endpoint, timeoutMs: kind === "delay" ? 500 : 6_000 });
    await using secrets = createSecrets({ providers: [patient] });
    own.fail({ kind, times: 100 });
    const startedAt = performance.now();
    const failure = await failureOf(secrets.get("aws-sm://name"));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain("aws-sm://name");
    expect(performance.now() - startedAt).toBeLessThan(kind === "delay" ? 2_000 : 8_000);
    expect(own.calls.length).toBeLessThanOrEqual(3);
    own.reset();
    expect((await secrets.get("aws-sm://name")).reveal()).toBe(value);
  });

  test("a reset in between is repeated, and nobody notices", async () => {
    const name = seed(newValue());
    server.fail({ kind: "reset" });
    await using secrets = resolver();
    await secrets.get(`aws-sm://${name}`);
    expect(server.calls).toEqual(["GetSecretValue", "GetSecretValue"]);
  });

  test("a search for credentials that never ends is ended", async () => {
    const credentials = () => new Promise<never>(() => {});
    const client = new SecretsManagerClient({ ...server.clientOptions, credentials });
    const secrets = createSecrets({ providers: [aws({ client, timeoutMs: 200 })] });
    const startedAt = performance.now();
    expect((await failureOf(secrets.get("aws-sm://name"))).code).toBe("SECRET_UNREACHABLE");
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    client.destroy();
  });

  test("nobody listens", async () => {
    const gone = await startAws();
    await gone.close();
    const secrets = createSecrets({ providers: [aws({ endpoint: gone.endpoint, timeoutMs })] });
    const failure = await failureOf(secrets.get("aws-sm://name"));
    expect(failure.code).toBe("SECRET_UNREACHABLE");
  });

  test("without credentials or region the message says what to set", async () => {
    stubCloudEnvironment({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined });
    const anonymous = await failureOf(resolver().get("aws-sm://name"));
    expect(anonymous.code).toBe("SECRET_UNAUTHENTICATED");
    stubCloudEnvironment({ ...server.env, AWS_REGION: undefined });
    const nowhere = await failureOf(resolver().get("aws-sm://name"));
    expect(nowhere.code).toBe("SECRET_REQUEST_INVALID");
    expect(nowhere.message).toContain("AWS_REGION");
    await resolver().find("aws-sm://name?region=eu-central-1");
    expect(server.calls).toEqual(["GetSecretValue"]);
  });
});

describe("endpoints", () => {
  const open = "http://secrets.example.com";
  const refused = async (given: SecretProvider) => {
    const failure = await failureOf(createSecrets({ providers: [given] }).get("aws-sm://name"));
    expect(failure.code).toBe("ENDPOINT_REFUSED");
    expect(failure.message).not.toContain("example");
  };

  test("an open endpoint is refused, wherever it comes from", async () => {
    await refused(aws({ endpoint: open }));
    await refused(
      aws({ client: new SecretsManagerClient({ ...server.clientOptions, endpoint: open }) }),
    );
    stubCloudEnvironment({ AWS_ENDPOINT_URL_SECRETS_MANAGER: open });
    await refused(aws());
    stubCloudEnvironment({ AWS_ENDPOINT_URL_SECRETS_MANAGER: undefined, AWS_ENDPOINT_URL: open });
    await refused(aws());
    stubCloudEnvironment({ ...server.env, AWS_ENDPOINT_URL_STS: open });
    await refused(aws());
    expect(server.calls).toEqual([]);
  });

  test("profiles are read from the shared files, and their endpoints are checked too", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nopeek-aws-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const keys = server.clientOptions.credentials;
    const lines = [
      "[profile good]",
      "region = eu-west-1",
      `aws_access_key_id = ${keys.accessKeyId}`,
      `aws_secret_access_key = ${keys.secretAccessKey}`,
      "[profile open]",
      "region = eu-west-1",
      `aws_access_key_id = ${keys.accessKeyId}`,
      `aws_secret_access_key = ${keys.secretAccessKey}`,
      `endpoint_url = ${open}`,
    ];
    await writeFile(join(folder, "config"), lines.join("\n"));
    stubCloudEnvironment({
      AWS_CONFIG_FILE: join(folder, "config"),
      AWS_REGION: undefined,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
    });
    const name = seed(newValue());
    await using secrets = resolver();
    await secrets.get(`aws-sm://${name}?profile=good`);
    expect(server.calls).toEqual(["GetSecretValue"]);
    // The SDK takes an endpoint from the profile of the environment only.
    stubCloudEnvironment({
      AWS_CONFIG_FILE: join(folder, "config"),
      AWS_PROFILE: "open",
      AWS_ENDPOINT_URL_SECRETS_MANAGER: undefined,
    });
    await refused(aws());
    expect(server.calls).toEqual(["GetSecretValue"]);
  });

  test("what is meant for other services is not looked at", async () => {
    stubCloudEnvironment({ ...server.env, AWS_ENDPOINT_URL: open, AWS_ENDPOINT_URL_S3: open });
    expect(await resolver().find("aws-sm://name")).toBeNull();
  });

  test("a given client stays open", async () => {
    const client = new SecretsManagerClient(server.clientOptions);
    const name = seed(newValue());
    for (let round = 0; round < 2; round += 1) {
      const given = aws({ client });
      const read = () => given.read?.([parseReference(`aws-sm://${name}`)], context);
      expect(await read()).toMatchObject([{ version: expect.any(String) }]);
      await given.close?.();
      expect(await read()).toMatchObject([{ code: "SECRET_ABORTED" }]);
    }
    client.destroy();
  });
});

describe("write", () => {
  test.each(["12345678901234567890", "1e400", "0.12345678901234567"])(
    "a merge refuses a document whose number %s would change",
    async (number) => {
      const name = `t-${randomUUID()}`;
      const document = `{"id":${number},"text":"1e400 99999999999999999999"}`;
      server.seed(name, document);
      const merging = write(`aws-sm://${name}`, { mode: "merge", fields: { tok: "x" } });
      await expect(merging).rejects.toMatchObject({ code: "SECRET_MALFORMED" });
      server.seed(`${name}-fine`, document.replace(number, "-12.50"));
      await write(`aws-sm://${name}-fine`, { mode: "merge", fields: { tok: "x" } });
    },
  );

  test("creates, replaces, merges and removes", async () => {
    const reference = `aws-sm://t/${randomUUID()}`;
    await using secrets = resolver();
    const stored = async () => (await secrets.get(reference)).reveal();
    await write(reference, { mode: "merge", fields: { a: "1", b: "2" } });
    expect(JSON.parse(await stored())).toEqual({ a: "1", b: "2" });
    const written = await write(reference, { mode: "merge", fields: { b: null, c: "3" } });
    expect(JSON.parse(await stored())).toEqual({ a: "1", c: "3" });
    expect(server.labels(reference.slice(9))[written?.version ?? ""]).toEqual(["AWSCURRENT"]);
    await write(reference, { mode: "replace", fields: { d: "4" } });
    expect(JSON.parse(await stored())).toEqual({ d: "4" });
    await write(reference, { mode: "replace", value: "whole" });
    expect(await stored()).toBe("whole");
    const bytes = Uint8Array.from([0, 255, 1]);
    await write(reference, { mode: "replace", value: bytes });
    expect((await secrets.get(reference)).revealBytes()).toEqual(bytes);
  });

  test("a merge that changes nothing makes no version", async () => {
    const name = seed(JSON.stringify({ a: "1" }));
    await write(`aws-sm://${name}`, { mode: "merge", fields: { a: "1" } });
    expect(Object.keys(server.labels(name))).toHaveLength(1);
  });

  test("merges at the same time keep each other's fields", async () => {
    const name = seed("{}");
    const keys = ["a", "b", "c"];
    await Promise.all(
      keys.map((key) => write(`aws-sm://${name}`, { mode: "merge", fields: { [key]: "x" } })),
    );
    const document = JSON.parse((await resolver().get(`aws-sm://${name}`)).reveal());
    expect(Object.keys(document).sort()).toEqual(keys);
  });

  test("a lost answer makes one version", async () => {
    const name = seed("before");
    server.fail({ operation: "PutSecretValue", kind: "reset", after: true });
    await write(`aws-sm://${name}`, { mode: "replace", value: "after" });
    expect(Object.keys(server.labels(name))).toHaveLength(2);
  });

  test.each<readonly [string, Change, SecretErrorCode]>([
    ["too large", { mode: "replace", value: "x".repeat(65_537) }, "SECRET_REQUEST_INVALID"],
    ["empty", { mode: "replace", value: "" }, "SECRET_EMPTY"],
    ["no document", { mode: "merge", fields: { a: "1" } }, "SECRET_MALFORMED"],
  ])("%s is refused", async (_, change, code) => {
    const name = seed("no document");
    expect((await failureOf(write(`aws-sm://${name}`, change))).code).toBe(code);
    expect(server.calls).not.toContain("PutSecretValue");
  });

  test("an ARN that does not exist, and a version, cannot be written to", async () => {
    const arn = "aws-sm://arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf";
    const change: Change = { mode: "replace", value: "x" };
    expect((await failureOf(write(arn, change))).code).toBe("SECRET_NOT_FOUND");
    const staged = await failureOf(write("aws-sm://name?stage=AWSCURRENT", change));
    expect(staged.code).toBe("REFERENCE_INVALID");
  });
});

describe("stage", () => {
  test("a version is added, claimed, promoted and dropped", async () => {
    const { stage } = provider();
    const name = seed("first");
    const reference = parseReference(`aws-sm://${name}`);
    const { current: base = "" } = (await stage?.stages(reference, context)) ?? {};
    const token = randomUUID();
    const added = await stage?.add(reference, { token, base, value: "second" }, context);
    const again = await stage?.add(reference, { token, base, value: "second" }, context);
    expect(again).toBe(added);
    const version = added ?? "";
    expect(await stage?.stages(reference, context)).toMatchObject({
      current: base,
      pending: undefined,
    });

    expect(await stage?.claim(reference, version, base, context)).toBe(true);
    expect(await stage?.stages(reference, context)).toEqual({
      current: base,
      previous: undefined,
      pending: version,
      pendingBase: base,
      pendingSinceMs: expect.any(Number),
      rotatedAtMs: undefined,
    });
    expect(await stage?.readVersion(reference, version, context)).toMatchObject({
      value: "second",
    });
    expect((await resolver().get(reference)).reveal()).toBe("first");

    expect(await stage?.promote(reference, base, version, context)).toBe(true);
    expect(await stage?.promote(reference, base, version, context)).toBe(false);
    await stage?.drop(reference, version, context);
    expect(server.labels(name)).toEqual({ [base]: ["AWSPREVIOUS"], [version]: ["AWSCURRENT"] });
    expect((await resolver().get(reference)).reveal()).toBe("second");
  });

  test("of two rotators one claims, and the other's version is dropped", async () => {
    const { stage } = provider();
    const name = seed("first");
    const reference = parseReference(`aws-sm://${name}`);
    const [base = ""] = Object.keys(server.labels(name));
    const add = (value: string) => stage?.add(reference, { token: value, base, value }, context);
    const [one = "", two = ""] = await Promise.all([add("one"), add("two")]);
    const claims = await Promise.all(
      [one, two].map((version) => stage?.claim(reference, version, base, context)),
    );
    expect([...claims].sort()).toEqual([false, true]);
    await Promise.all([one, two].map((version) => stage?.drop(reference, version, context)));
    expect(server.labels(name)).toEqual({ [base]: ["AWSCURRENT"], [one]: [], [two]: [] });
  });

  test("what is made from an old version is not claimed", async () => {
    const { stage } = provider();
    const name = seed("first");
    const reference = parseReference(`aws-sm://${name}`);
    const [base = ""] = Object.keys(server.labels(name));
    const made = { token: randomUUID(), base, value: "second" };
    const version = (await stage?.add(reference, made, context)) ?? "";
    server.seed(name, "by somebody else");
    expect(await stage?.claim(reference, version, base, context)).toBe(false);
    const conflict = await failureOf(stage?.add(reference, { ...made, value: "other" }, context));
    expect(conflict.code).toBe("SECRET_CONFLICT");
    const missing = await failureOf(stage?.readVersion(reference, randomUUID(), context));
    expect(missing.code).toBe("SECRET_NOT_FOUND");
  });
});
