import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { modal } from "../../../adapters/modal/index.ts";
import type { SecretProvider } from "../../../src/secrets/index.ts";
import { codeThrown, countCalls, newClient, sources, useModalServer, write } from "./harness.ts";

const used = useModalServer();
const opened: SecretProvider[] = [];
const unique = () => `s-${randomBytes(8).toString("hex")}`;

afterEach(async () => {
  await Promise.all(opened.splice(0).map((provider) => provider.close?.()));
});

const open = (options = {}) => {
  const provider = modal({ timeoutMs: 1500, ...options });
  opened.push(provider);
  return provider;
};

describe.each(Object.keys(sources))("with %s", (which) => {
  it("creates, replaces, merges and removes", async () => {
    const provider = await sources[which]?.();
    if (provider === undefined) throw new Error("no such source");
    opened.push(provider);
    const name = unique();
    const held = (environment?: string) => used.server.secret(name, environment);

    await write(provider, `modal://${name}`, { mode: "replace", fields: { A: "a1", B: "b1" } });
    expect(held()).toEqual({ A: "a1", B: "b1" });
    await write(provider, `modal://${name}`, { mode: "merge", fields: { B: "b2", C: "c2" } });
    expect(held()).toEqual({ A: "a1", B: "b2", C: "c2" });
    await write(provider, `modal://${name}`, { mode: "merge", fields: { A: null, D: "d3" } });
    expect(held()).toEqual({ B: "b2", C: "c2", D: "d3" });
    await write(provider, `modal://${name}#B`, { mode: "replace", value: "b4" });
    expect(held()).toEqual({ B: "b4", C: "c2", D: "d3" });
    await write(provider, `modal://${name}`, { mode: "replace", fields: { E: "e5", F: null } });
    expect(held()).toEqual({ E: "e5" });
    expect(held("prod")).toBeUndefined();

    await write(provider, `modal://prod/${name}`, { mode: "merge", fields: { A: "p", Z: null } });
    expect(held("prod")).toEqual({ A: "p" });
    expect(held()).toEqual({ E: "e5" });
  });
});

describe("write", () => {
  it("keeps unusual text as it is", async () => {
    const fields = {
      LINES: "-----BEGIN X-----\nabc\n-----END X-----\n",
      QUOTES: `"'\`$(id)\\`,
      UNICODE: "pässwörd 🔑 \u202e\ufeff",
      SPACES: "  padded\t",
      LONG: "x".repeat(128 * 1024 - 6),
    };
    const name = unique();
    await write(open(), `modal://${name}`, { mode: "replace", fields });
    expect(used.server.secret(name)).toEqual(fields);
    const bytes = new TextEncoder().encode(fields.UNICODE);
    await write(open(), `modal://${name}#LINES`, { mode: "replace", value: bytes });
    expect(used.server.secret(name)).toEqual({ ...fields, LINES: fields.UNICODE });
  });

  it("makes one call to replace and two to merge", async () => {
    const provider = open();
    const name = unique();
    const calls = (mode: "merge" | "replace") =>
      Promise.all(
        ["SecretGetOrCreate", "SecretUpdate"].map((method) =>
          countCalls(used.server, method, () =>
            write(provider, `modal://${name}-${mode}`, { mode, fields: { A: "1" } }),
          ),
        ),
      );
    used.server.seedSecret(`${name}-merge`, { B: "2" });
    // Both counts see both of the two writes.
    expect(await calls("replace")).toEqual([2, 0]);
    expect(await calls("merge")).toEqual([2, 2]);
  });

  it("does nothing to remove keys of a secret that does not exist", async () => {
    const name = unique();
    await write(open(), `modal://${name}`, { mode: "merge", fields: { A: null } });
    expect(used.server.secret(name)).toBeUndefined();
  });

  it("ends as asked when the answer to a creation is lost", async () => {
    const name = unique();
    const provider = open();
    // The lookup passes, the creation takes effect and its answer is lost, the client repeats it.
    used.server.fault("SecretGetOrCreate", { delayMs: 1 });
    used.server.fault("SecretGetOrCreate", { breaks: "disconnect", afterEffect: true });
    await write(provider, `modal://${name}`, { mode: "merge", fields: { A: "1" } });
    expect(used.server.secret(name)).toEqual({ A: "1" });
  });

  it("tells when the secret is deleted meanwhile", async () => {
    const name = unique();
    used.server.seedSecret(name, { A: "1" });
    used.server.fault("SecretUpdate", { status: "NOT_FOUND" });
    const work = write(open(), `modal://${name}`, { mode: "merge", fields: { A: "2" } });
    expect(await codeThrown(work)).toBe("SECRET_CONFLICT");
  });

  it.each([
    ["PERMISSION_DENIED", "SECRET_ACCESS_DENIED"],
    ["RESOURCE_EXHAUSTED", "SECRET_THROTTLED"],
    ["INVALID_ARGUMENT", "SECRET_REQUEST_INVALID"],
    ["ABORTED", "SECRET_CONFLICT"],
    ["UNAUTHENTICATED", "SECRET_UNAUTHENTICATED"],
  ] as const)("%s gives %s", async (status, code) => {
    const provider = open();
    const fields = { A: "1" };
    used.server.fault("SecretGetOrCreate", { status });
    const replace = write(provider, "modal://train", { mode: "replace", fields });
    expect(await codeThrown(replace)).toBe(code);
    used.server.seedSecret("train", fields);
    used.server.fault("SecretUpdate", { status });
    const merge = write(provider, "modal://train", { mode: "merge", fields });
    expect(await codeThrown(merge)).toBe(code);
  });

  it("stops at the deadline and when the caller gives up", async () => {
    const provider = open({ timeoutMs: 300 });
    const change = { mode: "replace", fields: { A: "1" } } as const;
    used.server.fault("SecretGetOrCreate", { breaks: "hang", times: 2 });
    const late = write(provider, "modal://train", change);
    expect(await codeThrown(late)).toBe("SECRET_UNREACHABLE");
    const caller = new AbortController();
    const given = write(provider, "modal://train", change, caller.signal);
    setTimeout(() => caller.abort(), 50);
    expect(await codeThrown(given)).toBe("SECRET_ABORTED");
  });

  it("tells of an environment that does not exist", async () => {
    const work = write(open(), "modal://nowhere/train", { mode: "replace", fields: { A: "1" } });
    expect(await codeThrown(work)).toBe("SECRET_NOT_FOUND");
  });

  const bad: [title: string, fields: Record<string, unknown>, code: string][] = [
    ["no key", {}, "SECRET_REQUEST_INVALID"],
    ["only keys to remove", { A: null }, "SECRET_REQUEST_INVALID"],
    ["a key with a dash", { "A-B": "1" }, "SECRET_REQUEST_INVALID"],
    ["a key that begins with a digit", { "1A": "1" }, "SECRET_REQUEST_INVALID"],
    ["an empty key", { "": "1" }, "SECRET_REQUEST_INVALID"],
    ["a key of Modal", { MODAL_TOKEN_ID: "1" }, "SECRET_REQUEST_INVALID"],
    ["a key of Modal to remove", { A: "1", MODAL_TASK_ID: null }, "SECRET_REQUEST_INVALID"],
    ["a key of nopeek", { NOPEEK_RUN_ID: "1" }, "SECRET_REQUEST_INVALID"],
    ["a key that objects lose", { ["__proto__"]: "1" }, "SECRET_REQUEST_INVALID"],
    ["undefined", { A: undefined }, "SECRET_NOT_TEXT"],
    ["a number", { A: 5 }, "SECRET_NOT_TEXT"],
    ["an object", { A: { a: 1 } }, "SECRET_NOT_TEXT"],
    ["bytes that are no text", { A: Buffer.from([0xff, 0xfe]) }, "SECRET_NOT_TEXT"],
    ["a NUL", { A: "a\0b" }, "SECRET_NOT_TEXT"],
    ["half a character", { A: "a\ud800" }, "SECRET_NOT_TEXT"],
    ["an empty value", { A: "" }, "SECRET_EMPTY"],
    ["128 KiB and a byte", { LONG: "x".repeat(128 * 1024 - 5) }, "SECRET_REQUEST_INVALID"],
  ];

  it.each(bad)("refuses %s without a call", async (_, fields, code) => {
    const provider = open();
    const calls = await countCalls(used.server, "SecretGetOrCreate", async () => {
      const change = { mode: "replace", fields: fields as Record<string, string> } as const;
      expect(await codeThrown(write(provider, "modal://train", change))).toBe(code);
    });
    expect(calls).toBe(0);
  });

  it("refuses a value without a key, and a record with one", async () => {
    const value = write(open(), "modal://train", { mode: "replace", value: "v" });
    expect(await codeThrown(value)).toBe("SECRET_REQUEST_INVALID");
    const record = write(open(), "modal://train#A", { mode: "merge", fields: { A: "v" } });
    expect(await codeThrown(record)).toBe("SECRET_REQUEST_INVALID");
  });

  it.each(["0.10.4", "0.12.0", "1.2.0", "0.11.1-beta"])(
    "does not touch the internals of version %s, and names the command",
    async (version) => {
      const client = await newClient();
      client.version = () => version;
      const provider = open({ client });
      const calls = await countCalls(used.server, "SecretGetOrCreate", async () => {
        const change = { mode: "replace", fields: { A: "1" } } as const;
        await expect(write(provider, "modal://prod/train", change)).rejects.toMatchObject({
          code: "SECRET_NOT_WRITABLE",
          message: expect.stringContaining(
            "modal secret create train --from-dotenv FILE --force --env prod",
          ),
        });
      });
      expect(calls).toBe(0);
    },
  );

  it("needs the internal methods themselves", async () => {
    const client = await newClient();
    Object.defineProperty(client.cpClient, "secretUpdate", { value: undefined });
    const work = write(open({ client }), "modal://train", { mode: "merge", fields: { A: "1" } });
    expect(await codeThrown(work)).toBe("SECRET_NOT_WRITABLE");
  });
});
