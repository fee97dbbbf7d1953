/** The loopback servers keep the rules of the services, by the real clients; and the contract bites. */
import { randomUUID } from "node:crypto";
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { createSecrets, SecretError, type SecretProvider } from "nopeek";
import { type ContractFixture, memory, providerContract, startAws, startGcp } from "nopeek/testing";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { crc32c } from "../../adapters/shared/index.ts";
import { stubCloudEnvironment } from "../support/cloud-fixtures.ts";
import { gcpClient } from "../support/gcp-client.ts";

stubCloudEnvironment({});
beforeEach(() => stubCloudEnvironment({}));

describe("the AWS server", async () => {
  const server = await startAws();
  const client = new SecretsManagerClient({ ...server.clientOptions, maxAttempts: 1 });
  afterAll(async () => {
    client.destroy();
    await server.close();
  });
  const newName = () => `t/${randomUUID()}`;
  const refusal = (name: string) => expect.objectContaining({ name });

  test("a first version is current, the next one makes it previous", async () => {
    const Name = newName();
    const made = await client.send(new CreateSecretCommand({ Name, SecretString: "one" }));
    const put = new PutSecretValueCommand({ SecretId: Name, SecretString: "two" });
    const { VersionId = "" } = await client.send(put);
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: Name }));
    expect(VersionIdsToStages).toEqual({
      [made.VersionId ?? ""]: ["AWSPREVIOUS"],
      [VersionId]: ["AWSCURRENT"],
    });
  });

  test("a token is one version, with one value", async () => {
    const SecretId = newName();
    server.seed(SecretId, "one");
    const ClientRequestToken = randomUUID();
    const put = (SecretString: string) =>
      client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken }));
    await put("two");
    await put("two");
    expect(Object.keys(server.labels(SecretId))).toHaveLength(2);
    await expect(put("three")).rejects.toEqual(refusal("ResourceExistsException"));
  });

  test("a label moves only from the version that is named", async () => {
    const SecretId = newName();
    server.seed(SecretId, "one");
    server.seed(SecretId, "two");
    const [one, two] = Object.keys(server.labels(SecretId));
    const move = (MoveToVersionId?: string, RemoveFromVersionId?: string, label = "AWSCURRENT") =>
      client.send(
        new UpdateSecretVersionStageCommand({
          SecretId,
          VersionStage: label,
          MoveToVersionId,
          RemoveFromVersionId,
        }),
      );
    const wrong = refusal("InvalidParameterException");
    await expect(move(one)).rejects.toEqual(wrong);
    await expect(move(one, one)).rejects.toEqual(wrong);
    await expect(move(undefined, two)).rejects.toEqual(wrong);
    await move(one, two);
    expect(server.labels(SecretId)[two ?? ""]).toEqual(["AWSPREVIOUS"]);
    await move(two, undefined, "MINE");
    await expect(move(randomUUID(), undefined, "MINE")).rejects.toEqual(
      refusal("ResourceNotFoundException"),
    );
    const both = { SecretId, VersionId: one, VersionStage: "MINE" };
    await expect(client.send(new GetSecretValueCommand(both))).rejects.toEqual(
      refusal("InvalidRequestException"),
    );
  });

  test("names, sizes, batches and deletion have their rules", async () => {
    const create = (Name: string, SecretString?: string) =>
      client.send(new CreateSecretCommand({ Name, SecretString }));
    await expect(create("a b", "x")).rejects.toEqual(refusal("InvalidParameterException"));
    await expect(create(newName(), "x".repeat(65_537))).rejects.toEqual(
      refusal("ValidationException"),
    );
    const SecretIdList = Array.from({ length: 21 }, newName);
    await expect(client.send(new BatchGetSecretValueCommand({ SecretIdList }))).rejects.toEqual(
      refusal("ValidationException"),
    );
    const SecretId = newName();
    await create(SecretId, "x");
    await expect(create(SecretId, "x")).rejects.toEqual(refusal("ResourceExistsException"));
    await client.send(new DeleteSecretCommand({ SecretId }));
    const get = () => client.send(new GetSecretValueCommand({ SecretId }));
    await expect(get()).rejects.toEqual(refusal("InvalidRequestException"));
    await expect(create(SecretId, "x")).rejects.toEqual(refusal("InvalidRequestException"));
    await client.send(new RestoreSecretCommand({ SecretId }));
    expect((await get()).SecretString).toBe("x");
  });

  test("what is not signed or not known is refused", async () => {
    const post = (target: string, headers: Record<string, string> = {}) =>
      fetch(server.endpoint, {
        method: "POST",
        headers: { "x-amz-target": `secretsmanager.${target}`, ...headers },
        body: "{}",
      });
    expect(await (await post("GetSecretValue")).text()).toContain("MissingAuthentication");
    const authorization = "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=x, Signature=x";
    expect(await (await post("constructor", { authorization })).text()).toContain(
      "UnknownOperation",
    );
  });
});

describe("the GCP server", async () => {
  const server = await startGcp();
  const client = gcpClient(server.endpoint);
  afterAll(async () => {
    await client.close();
    await server.close();
  });
  const status = (code: number) => expect.objectContaining({ code });

  test("versions count from one, aliases and etags have their rules", async () => {
    const name = `projects/${server.project}/secrets/rules`;
    server.seed("rules", "one");
    const [before] = await client.getSecret({ name });
    const set = async (aliases: Record<string, number>) => {
      const etag = before.etag ?? "";
      const [changed] = await client.updateSecret({
        secret: { name, etag, versionAliases: aliases },
        updateMask: { paths: ["version_aliases"] },
      });
      return changed;
    };
    await expect(set({ latest: 1 })).rejects.toEqual(status(3));
    await expect(set({ current: 2 })).rejects.toEqual(status(3));
    const after = await set({ current: 1 });
    expect(after.etag).not.toBe(before.etag);
    await expect(set({ current: 1 })).rejects.toEqual(status(9));
    const data = Buffer.from("two");
    const [second] = await client.addSecretVersion({ parent: name, payload: { data } });
    expect(second.name).toBe(`${name}/versions/2`);
    const [unchanged] = await client.getSecret({ name });
    expect(unchanged.etag).toBe(after.etag);
  });

  test("payloads are checked, and destroyed ones stay so", async () => {
    const parent = `projects/${server.project}/secrets/payloads`;
    server.seed("payloads", "one");
    const add = (data: Buffer, dataCrc32c?: number) =>
      client.addSecretVersion({ parent, payload: { data, ...(dataCrc32c && { dataCrc32c }) } });
    await expect(add(Buffer.alloc(0))).rejects.toEqual(status(3));
    await expect(add(Buffer.alloc(65_537))).rejects.toEqual(status(3));
    await expect(add(Buffer.from("x"), 1)).rejects.toEqual(status(3));
    await add(Buffer.alloc(65_536));
    const name = `${parent}/versions/1`;
    await client.destroySecretVersion({ name });
    await expect(client.enableSecretVersion({ name })).rejects.toEqual(status(9));
    await expect(client.accessSecretVersion({ name })).rejects.toEqual(status(9));
    const [shown] = await client.listSecretVersions({ parent, filter: "state:ENABLED" });
    expect(shown.map((version) => version.name)).toEqual([`${parent}/versions/2`]);
    await expect(client.getSecret({ name: `${parent}-none` })).rejects.toEqual(status(5));
  });
});

test("CRC32C is the Castagnoli one", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(0))).toBe(0);
});

test("memory gives values of any scheme", async () => {
  const provider = memory({
    "aws-sm://a?stage=X&region=y": "one",
    "gcp-sm://p/b": '{"key":"two"}',
    "modal://c#KEY": "three",
  });
  await using secrets = createSecrets({ providers: [provider] });
  expect((await secrets.get("aws-sm://a?region=y&stage=X")).reveal()).toBe("one");
  expect((await secrets.get("gcp-sm://p/b#key")).reveal()).toBe("two");
  expect((await secrets.get("modal://c#KEY")).reveal()).toBe("three");
  expect(await secrets.find("modal://c#OTHER")).toBeNull();
  await expect(secrets.get("aws-sm://a?region=y&stage=X#key")).rejects.toMatchObject({
    code: "SECRET_MALFORMED",
  });
});

describe("the contract", () => {
  const values = new Map<string, string | Uint8Array>();
  const fixture = (
    read: (path: string) => ReturnType<NonNullable<SecretProvider["read"]>>,
  ): ContractFixture => ({
    supports: new Set(),
    provider: () => ({
      name: "own",
      schemes: ["own"],
      capabilities: ["read"],
      read: async (references) =>
        (await Promise.all(references.map(({ path }) => read(path)))).flat(),
    }),
    seed(value) {
      const name = randomUUID();
      values.set(name, value);
      return `own://${name}`;
    },
    missing: () => `own://${randomUUID()}`,
    fail: () => {},
  });
  const failing = async (given: ContractFixture) => {
    const failed: string[] = [];
    for (const { name, needs, run } of providerContract) {
      // The provider under test has no versions.
      if (needs.includes("stage")) continue;
      await run(given).catch(() => failed.push(name.split(":")[0] ?? ""));
    }
    return failed;
  };
  const storedAt = (path: string) => {
    const value = values.get(path);
    return value === undefined ? null : { value };
  };

  test("finds a provider that turns refusals into nothing, or never refuses", async () => {
    const failed = await failing(fixture(async (path) => [storedAt(path)]));
    expect(failed).toEqual([
      "denied",
      "throttled",
      "unreachable",
      "late",
      "abort",
      "context",
      "close",
    ]);
  });

  test("finds a provider that prints values in errors", async () => {
    const leaky = fixture(async (path) => [
      new SecretError("SECRET_ACCESS_DENIED", `refused: ${values.get(path)}`),
    ]);
    expect(await failing(leaky)).toContain("denied");
  });

  test("finds a provider that throws for what is missing, or spoils bytes", async () => {
    const strict = fixture(async (path) => {
      const value = values.get(path);
      if (value === undefined) throw new SecretError("SECRET_NOT_FOUND", "none");
      return [{ value: Buffer.from(value).toString("ascii") }];
    });
    const failed = await failing(strict);
    for (const name of ["missing", "many", "unicode", "bytes"]) expect(failed).toContain(name);
  });
});
