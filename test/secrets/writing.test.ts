import {
  Attached,
  type Change,
  createSecrets,
  defineSecrets,
  Secret,
  SecretError,
  type SecretProvider,
} from "nopeek";
import { expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

const [a, b] = [new Secret(randomToken()), new Secret(randomToken())];
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof SecretError ? error.code : error),
  );

function writable() {
  const changes: [string, Change][] = [];
  let reads = 0;
  const provider: SecretProvider = {
    name: "store",
    schemes: ["s"],
    capabilities: ["read", "write"],
    read: async (references) => {
      reads++;
      return references.map(() => ({ value: a.reveal() }));
    },
    write: async (reference, change) => {
      changes.push([reference.path, change]);
      return { version: "v2" };
    },
  };
  return { secrets: createSecrets({ providers: [provider] }), changes, reads: () => reads };
}

it("writes a value, a key and several keys", async () => {
  const { secrets, changes } = writable();
  expect(await secrets.put("s://x", a)).toEqual({ version: "v2" });
  await secrets.put("s://x", new Secret(Uint8Array.from([0xff, 0])));
  await secrets.put("s://x#token", a);
  await secrets.put("s://x", { one: a, two: b, gone: null }, { mode: "replace" });
  expect(changes.map(([, change]) => change)).toEqual([
    { mode: "replace", value: a.reveal() },
    { mode: "replace", value: Uint8Array.from([0xff, 0]) },
    { mode: "merge", fields: { token: a.reveal() } },
    { mode: "replace", fields: { one: a.reveal(), two: b.reveal(), gone: null } },
  ]);
});

it("forgets what it kept of a secret that it writes", async () => {
  const { secrets, reads } = writable();
  await secrets.get("s://x");
  await secrets.get("s://x");
  await secrets.put("s://x", b);
  await secrets.get("s://x");
  expect(reads()).toBe(2);
});

it("refuses what does not go together, before the store sees it", async () => {
  const { secrets, changes } = writable();
  expect(await codeOf(secrets.put("s://x", a, { mode: "merge" }))).toBe("DECLARATION_INVALID");
  expect(await codeOf(secrets.put("s://x#f", { g: a }))).toBe("DECLARATION_INVALID");
  expect(await codeOf(secrets.put("s://x#/f/g", a))).toBe("DECLARATION_INVALID");
  expect(await codeOf(secrets.put("s://x", { f: "text" } as never))).toBe("DECLARATION_INVALID");
  expect(await codeOf(secrets.put("s://x", new Secret("a [REDACTED:HF_TOKEN] b")))).toBe(
    "SECRET_MASKED",
  );
  expect(await codeOf(secrets.put("s://x", { f: new Secret("[REDACTED]") }))).toBe("SECRET_MASKED");
  expect(await codeOf(secrets.put("s://x", { f: new Secret(Uint8Array.of(0xff)) }))).toBe(
    "SECRET_NOT_TEXT",
  );
  expect(await codeOf(secrets.put("s://x", a, { mode: "bogus" as never }))).toBe(
    "DECLARATION_INVALID",
  );
  for (const wrong of [null, [a], "text", { "": a }, { "/p": a }, { "[REDACTED:X]": a }]) {
    expect(await codeOf(secrets.put("s://x", wrong as never))).toBe("DECLARATION_INVALID");
  }
  expect(changes).toEqual([]);
});

it("says what to do where a provider cannot", async () => {
  const provider: SecretProvider = {
    name: "p",
    schemes: ["s"],
    capabilities: [],
    whyNot: { write: "use the console" },
  };
  const secrets = createSecrets({ providers: [provider] });
  await expect(secrets.put("s://x", a)).rejects.toMatchObject({
    code: "SECRET_NOT_WRITABLE",
    message: "s://x: p cannot write values; use the console",
  });
  expect(await codeOf(secrets.get("s://x"))).toBe("SECRET_NOT_READABLE");
});

const attaching: SecretProvider = {
  name: "modal",
  schemes: ["modal"],
  ownFields: ["modal"],
  capabilities: ["attach"],
  attach: async (references) =>
    references.map(({ path, field = "" }) =>
      path === "none"
        ? null
        : { provider: "modal", environment: undefined, name: path, keys: [field] },
    ),
};
const reading: SecretProvider = {
  name: "r",
  schemes: ["r"],
  capabilities: ["read"],
  read: async (references) => references.map(() => ({ value: a.reveal() })),
};

it("attaches where nothing else can be done, and reads where it can", async () => {
  const secrets = createSecrets({ providers: [attaching, reading] });
  const declared = defineSecrets({
    A: "modal://hf#KEY",
    B: { from: ["modal://hf#KEY", "r://x"] },
    C: { from: "modal://none#K", optional: true },
  });
  const loaded = await secrets.load(declared);
  expect(loaded.A).toBeInstanceOf(Attached);
  expect(String(loaded.A)).toBe("[ATTACHED:A from modal hf (KEY)]");
  expect(loaded.B.reveal()).toBe(a.reveal());
  expect(loaded.C).toBeNull();
});

it("attaches first where the runtime can, and refuses where it cannot", async () => {
  const secrets = createSecrets({ providers: [attaching, reading] });
  const declared = defineSecrets({ A: { from: ["modal://hf#KEY", "r://x"] }, B: "modal://hf#KEY" });
  const there = await secrets.resolve(declared, { attach: ["modal"] });
  expect(there.map(({ attached }) => attached !== undefined)).toEqual([true, true]);
  const here = await secrets.resolve(declared, { attach: [] });
  expect(here[0]?.secret?.reveal()).toBe(a.reveal());
  expect(here[1]?.failure?.code).toBe("SECRET_NOT_ATTACHABLE");
});
