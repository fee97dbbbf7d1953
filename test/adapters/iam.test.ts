/** IAM access keys, with the real client against a server on loopback that checks every signature. */
import { createSecrets, type SecretProvider } from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { gcp } from "nopeek/adapters/gcp";
import { iam } from "nopeek/adapters/iam";
import { type RotateOptions, type RotationEvent, rotate } from "nopeek/rotate";
import { type IamServer, startAws, startGcp, startIam, valuesPrintedBy } from "nopeek/testing";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { stubCloudEnvironment } from "../support/cloud-fixtures.ts";

const [awsServer, gcpServer] = [await startAws(), await startGcp()];
afterAll(() => Promise.all([awsServer.close(), gcpServer.close()]));

const user = "ml-uploader";
const dayMs = 86_400_000;
let name = 0;

const stores: readonly (readonly [
  string,
  (document: string) => { provider: SecretProvider; secret: string },
])[] = [
  [
    "aws",
    (document) => {
      name += 1;
      awsServer.seed(`iam/${name}`, document);
      return {
        provider: aws({ endpoint: awsServer.endpoint, maxAttempts: 1 }),
        secret: `aws-sm://iam/${name}`,
      };
    },
  ],
  [
    "gcp",
    (document) => {
      name += 1;
      gcpServer.seed(`iam-${name}`, document);
      gcpServer.setAliases(`iam-${name}`, { current: 1 });
      const secret = `gcp-sm://${gcpServer.project}/iam-${name}`;
      return { provider: gcp({ endpoint: gcpServer.endpoint, maxAttempts: 1 }), secret };
    },
  ],
];

describe.each(stores)("iam over %s", (store, make) => {
  let server: IamServer;
  beforeEach(async () => {
    server = await startIam();
    stubCloudEnvironment({ ...awsServer.env, ...server.env });
    awsServer.reset();
    gcpServer.reset();
    return () => server.close();
  });

  function world() {
    const { id, secret: value } = server.createKey(user);
    const document = JSON.stringify({ accessKeyId: id, secretAccessKey: value, bucket: "sets" });
    const { provider, secret } = make(document);
    const from = createSecrets({ providers: [provider], cache: false });
    const target = iam({ user, endpoint: server.endpoint, settleMs: 0 });
    const events: RotationEvent[] = [];
    const run = (more: Partial<RotateOptions> = {}) =>
      rotate({
        from,
        secret,
        target,
        overlapMs: dayMs,
        apply: true,
        onEvent: (event) => events.push(event),
        ...more,
      });
    const current = store === "gcp" ? `${secret}?version=current` : secret;
    const read = async () =>
      JSON.parse((await from.get(current)).reveal()) as Record<string, string>;
    const works = async () => {
      const { accessKeyId = "", secretAccessKey = "" } = await read();
      return server.accepts(accessKeyId, secretAccessKey);
    };
    return { id, value, from, run, read, works, events, target };
  }

  it("makes a second key, and deletes the first after the overlap", async () => {
    const { id, value, run, read, works, events } = world();
    expect(await run()).toMatchObject({ outcome: "rotated", strategy: "issuer" });
    expect(await works()).toBe(true);
    expect(await read()).toMatchObject({ bucket: "sets" });
    expect(server.accepts(id, value)).toBe(true);
    expect(server.keys(user)).toHaveLength(2);
    // Within the overlap nothing is deleted, and another rotation does not begin.
    expect(await run()).toMatchObject({ outcome: "fresh", why: "overlap" });
    expect(server.keys(user)).toHaveLength(2);
    expect(await run({ minAgeMs: dayMs, overlapMs: 0 })).toMatchObject({ outcome: "ended" });
    expect(server.keys(user)).toEqual([(await read())["accessKeyId"]]);
    expect(await works()).toBe(true);
    const { secretAccessKey = "" } = await read();
    expect(valuesPrintedBy(events, [value, secretAccessKey])).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["started", "created", "tested", "finished", "revoked"]),
    );
  }, 20_000);

  it("the answer to a new key is lost: the next run deletes it first", async () => {
    const { run, works } = world();
    server.fail({ kind: "reset", operation: "CreateAccessKey", after: true });
    await expect(run()).rejects.toMatchObject({
      code: "ROTATION_INCOMPLETE",
      message: expect.stringContaining("run this again in 10 min"),
    });
    const [, orphan = ""] = server.keys(user);
    expect(await works()).toBe(true);
    // While it may be that of a rotation under way, it stays, and there is no place for another.
    await expect(run()).rejects.toMatchObject({ code: "SECRET_QUOTA_EXCEEDED" });
    server.setTimes(orphan, { createdAtMs: Date.now() - 3_600_000 });
    expect(await run()).toMatchObject({ outcome: "rotated" });
    expect(server.keys(user)).not.toContain(orphan);
    expect(await works()).toBe(true);
  }, 20_000);

  it("a key that somebody else uses is not deleted", async () => {
    const { run, works } = world();
    const { id: other } = server.createKey(user);
    server.setTimes(other, { createdAtMs: Date.now() - dayMs, lastUsedAtMs: Date.now() });
    await expect(run()).rejects.toMatchObject({
      code: "ROTATION_REFUSED",
      message: expect.stringContaining(other),
    });
    expect(server.keys(user)).toContain(other);
    expect(await works()).toBe(true);
  }, 20_000);

  it("a key that cannot be deleted is 18, and deleted by the next run", async () => {
    const { id, run, works } = world();
    server.fail({ kind: "denied", operation: "DeleteAccessKey" });
    const failed = run({ leaked: true });
    await expect(failed).rejects.toMatchObject({ code: "ROTATION_INCOMPLETE" });
    await expect(failed).rejects.toThrow(
      /the new credential is current and works, but version \S+, which leaked, still works; run this again: IAM user ml-uploader: AWS refused; allow iam:/,
    );
    expect(await works()).toBe(true);
    expect(server.keys(user)).toContain(id);
    expect(await run({ overlapMs: 0, minAgeMs: dayMs })).toMatchObject({ outcome: "ended" });
    expect(server.keys(user)).not.toContain(id);
    expect(await works()).toBe(true);
  }, 20_000);

  it("a key whose secret is wrong does not work", async () => {
    const { target, run } = world();
    const { id } = server.createKey(user);
    const { Secret } = await import("nopeek");
    const context = { signal: new AbortController().signal };
    expect(await target.works({ id, secret: new Secret("not the secret of it") }, context)).toBe(
      false,
    );
    expect(
      await target.works({ id: "AKIANONE", secret: new Secret("not the secret of it") }, context),
    ).toBe(false);
    // Control: there are two keys already, so none can be made.
    await expect(run()).rejects.toMatchObject({ code: "SECRET_QUOTA_EXCEEDED" });
  }, 20_000);
});
