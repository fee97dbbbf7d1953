import { afterEach, describe, expect, it, vi } from "vitest";
import { type ModalOptions, modal } from "../../../adapters/modal/index.ts";
import type { ModalFault } from "../../../adapters/testing/modal/index.ts";
import { createSecrets, type SecretProvider } from "../../../src/secrets/index.ts";
import { startSearchedModal } from "../../support/modal.ts";
import { randomToken } from "../../support/values.ts";
import { attach, codeThrown, countCalls, never, sources, useModalServer } from "./harness.ts";

const used = useModalServer();
const opened: SecretProvider[] = [];
const token = () => randomToken();

afterEach(async () => {
  await Promise.all(opened.splice(0).map((provider) => provider.close?.()));
});

/** What one fault makes of an attach. `null`: missing. `undefined`: it works all the same. */
const faults: [title: string, fault: ModalFault, code: string | null | undefined][] = [
  ["denied", { status: "PERMISSION_DENIED" }, "SECRET_ACCESS_DENIED"],
  ["unauthenticated", { status: "UNAUTHENTICATED" }, "SECRET_UNAUTHENTICATED"],
  ["throttled", { status: "RESOURCE_EXHAUSTED" }, "SECRET_THROTTLED"],
  ["wrong", { status: "INVALID_ARGUMENT" }, "SECRET_REQUEST_INVALID"],
  ["a failed precondition", { status: "FAILED_PRECONDITION" }, "SECRET_REQUEST_INVALID"],
  ["aborted", { status: "ABORTED" }, "SECRET_CONFLICT"],
  ["not found", { status: "NOT_FOUND" }, null],
  ["not served", { status: "UNIMPLEMENTED" }, "SECRET_REQUEST_INVALID"],
  ["data loss", { status: "DATA_LOSS" }, "SECRET_UNREACHABLE"],
  ["unavailable twice", { status: "UNAVAILABLE", times: 2 }, undefined],
  ["reset once", { breaks: "reset" }, undefined],
  ["disconnected in mid-answer", { breaks: "disconnect", afterEffect: true }, undefined],
  ["no answer", { breaks: "hang" }, "SECRET_UNREACHABLE"],
  ["a slow answer", { delayMs: 200 }, undefined],
];

/** The client repeats these calls four times, so all are tried at once, with a server for each. */
const lastingFaults: typeof faults = [
  ["cancelled", { status: "CANCELLED", times: 9 }, "SECRET_ABORTED"],
  ["unavailable", { status: "UNAVAILABLE", times: 9 }, "SECRET_UNREACHABLE"],
  ["a truncated answer", { breaks: "truncate", afterEffect: true, times: 9 }, "SECRET_UNREACHABLE"],
  ["an HTML page", { breaks: "page", times: 9 }, "SECRET_UNREACHABLE"],
];

it("tells of faults that last", async () => {
  const tried = [];
  for (const [title, fault, code] of lastingFaults) {
    const server = await startSearchedModal();
    for (const [name, value] of Object.entries(server.env())) vi.stubEnv(name, value);
    server.seedSecret("train", { HF_TOKEN: token() });
    const provider = modal({ timeoutMs: 1500 });
    opened.push(provider);
    // Its client is made now.
    expect(await attach(provider, ["modal://train#HF_TOKEN"]), title).toMatchObject([{}]);
    server.fault("SecretGetOrCreate", fault);
    tried.push(expectOutcome(provider, code).finally(() => server.close()));
  }
  await Promise.all(tried);
});

/** Attaches while a fault waits. */
async function expectOutcome(provider: SecretProvider, code: string | null | undefined) {
  const begun = performance.now();
  const [outcome] = await attach(provider, ["modal://train#HF_TOKEN"]);
  expect(performance.now() - begun).toBeLessThan(2500);
  if (code === undefined) expect(outcome).toMatchObject({ keys: ["HF_TOKEN"] });
  else expect(outcome === null ? null : (outcome as { code?: string }).code).toBe(code);
}

describe.each(Object.keys(sources))("with %s", (which) => {
  const open = async (options = {}) => {
    const provider = await sources[which]?.({ timeoutMs: 1500, ...options });
    if (provider === undefined) throw new Error("no such source");
    opened.push(provider);
    return provider;
  };

  it("attaches what exists and tells what does not", async () => {
    used.server.seedSecret("train", { HF_TOKEN: token(), WANDB_API_KEY: token() });
    used.server.seedSecret("train", { HF_TOKEN: token() }, "prod");
    const outcomes = await attach(await open(), [
      "modal://train#HF_TOKEN",
      "modal://train#WANDB_API_KEY",
      "modal://train#OTHER",
      "modal://absent#HF_TOKEN",
      "modal://prod/train#HF_TOKEN",
      "modal://prod/train#WANDB_API_KEY",
      "modal://nowhere/train#HF_TOKEN",
    ]);
    const attached = (environment: string | undefined, key: string) => ({
      provider: "modal",
      environment,
      name: "train",
      keys: [key],
    });
    expect(outcomes).toEqual([
      attached(undefined, "HF_TOKEN"),
      attached(undefined, "WANDB_API_KEY"),
      null,
      null,
      attached("prod", "HF_TOKEN"),
      null,
      null,
    ]);
  });

  it("looks a secret up once for all its keys", async () => {
    used.server.seedSecret("many", { A: "1", B: "2", C: "3" });
    const provider = await open();
    const keys = ["A", "B", "C", "A"].map((key) => `modal://many#${key}`);
    const lookups = (texts: string[]) =>
      countCalls(used.server, "SecretGetOrCreate", () => attach(provider, texts));
    expect(await lookups(keys)).toBe(1);
    expect(await lookups([...keys, "modal://many#D", "modal://many#E"])).toBe(2);
  });

  it("finds the missing keys when the server does not name them", async () => {
    used.server.seedSecret("quiet", { A: "1", B: "2" });
    used.server.fault("SecretGetOrCreate", {
      status: "FAILED_PRECONDITION",
      details: "Secret is missing key(s)",
    });
    const outcomes = await attach(await open(), ["modal://quiet#A", "modal://quiet#Z"]);
    expect(outcomes.map((outcome) => outcome !== null)).toEqual([true, false]);
  });

  it("takes the environment from its option", async () => {
    used.server.seedSecret("only-prod", { A: "1" }, "prod");
    const outcomes = await attach(await open({ environment: "prod" }), ["modal://only-prod#A"]);
    expect(outcomes).toMatchObject([{ environment: "prod" }]);
    expect(await attach(await open(), ["modal://only-prod#A"])).toEqual([null]);
  });

  it.each(faults)("%s", async (_, fault, code) => {
    used.server.seedSecret("train", { HF_TOKEN: token() });
    const provider = await open(fault.breaks === "hang" ? { timeoutMs: 300 } : {});
    used.server.fault("SecretGetOrCreate", fault);
    await expectOutcome(provider, code);
    expect(await attach(provider, ["modal://train#HF_TOKEN"])).toMatchObject([{ name: "train" }]);
  });

  it("stops when the caller gives up", async () => {
    used.server.seedSecret("train", { HF_TOKEN: token() });
    const provider = await open();
    used.server.fault("SecretGetOrCreate", { breaks: "hang" });
    const caller = new AbortController();
    const begun = performance.now();
    const pending = attach(provider, ["modal://train#HF_TOKEN"], caller.signal);
    setTimeout(() => caller.abort(), 100);
    expect(await pending).toMatchObject([{ code: "SECRET_ABORTED" }]);
    expect(performance.now() - begun).toBeLessThan(1000);
    const calls = await countCalls(used.server, "SecretGetOrCreate", async () => {
      const outcomes = await attach(provider, ["modal://train#HF_TOKEN"], AbortSignal.abort());
      expect(outcomes).toMatchObject([{ code: "SECRET_ABORTED" }]);
    });
    expect(calls).toBe(0);
  });

  it("serves many callers at once", async () => {
    used.server.seedSecret("train", { HF_TOKEN: token() });
    const provider = await open();
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, () => attach(provider, ["modal://train#HF_TOKEN"])),
    );
    expect(outcomes.flat().every((outcome) => outcome !== null && "keys" in outcome)).toBe(true);
  });

  it("is done after close", async () => {
    const provider = await open();
    await provider.close?.();
    const outcomes = await attach(provider, ["modal://train#HF_TOKEN"]);
    expect(outcomes).toMatchObject([{ code: "SECRET_ABORTED" }]);
  });

  it.each([
    "modal://train",
    "modal://a/b/train#KEY",
    "modal://train?version=1#KEY",
    "modal://ap-0123456789abcdefABCDEF#KEY",
    "modal://tr ain#KEY",
    "modal://train#not-a-name",
    "modal://train#MODAL_TOKEN_SECRET",
    "modal://train#__proto__",
    `modal://${"x".repeat(65)}#KEY`,
  ])("refuses %s without a call", async (text) => {
    const provider = await open();
    const calls = await countCalls(used.server, "SecretGetOrCreate", async () => {
      expect(await attach(provider, [text])).toMatchObject([{ code: "REFERENCE_INVALID" }]);
    });
    expect(calls).toBe(0);
  });

  it("cannot read values outside of Modal", async () => {
    const provider = await open({ vars: {} });
    expect(provider.capabilities).toEqual(["attach", "write"]);
    const secrets = createSecrets({ providers: [provider] });
    expect(await codeThrown(secrets.get("modal://train#KEY"))).toBe("SECRET_NOT_READABLE");
  });
});

describe("its own client", () => {
  const ownSource = async (options: ModalOptions = {}) => modal(options);

  it("does not wait as long as a throttling server asks", async () => {
    const provider = await ownSource({ timeoutMs: 2000 });
    opened.push(provider);
    used.server.fault("SecretGetOrCreate", {
      status: "RESOURCE_EXHAUSTED",
      retryAfterMs: 60_000,
      times: 99,
    });
    const begun = performance.now();
    const outcomes = await attach(provider, ["modal://train#HF_TOKEN"]);
    expect(outcomes).toMatchObject([{ code: "SECRET_THROTTLED" }]);
    expect(performance.now() - begun).toBeLessThan(1000);
    // A short wait is granted.
    used.server.clearFaults();
    used.server.seedSecret("train", { HF_TOKEN: token() });
    used.server.fault("SecretGetOrCreate", { status: "RESOURCE_EXHAUSTED", retryAfterMs: 200 });
    expect(await attach(provider, ["modal://train#HF_TOKEN"])).toMatchObject([{ name: "train" }]);
  });

  it("ends the call itself at the deadline", async () => {
    const provider = await ownSource({ timeoutMs: 300 });
    opened.push(provider);
    used.server.fault("SecretGetOrCreate", { status: "UNAVAILABLE", times: 99, delayMs: 100 });
    const during = await countCalls(used.server, "SecretGetOrCreate", () =>
      attach(provider, ["modal://train#HF_TOKEN"]),
    );
    const after = await countCalls(
      used.server,
      "SecretGetOrCreate",
      () => new Promise((resolve) => setTimeout(resolve, 400)),
    );
    expect(during).toBeGreaterThan(0);
    expect(after).toBe(0);
  });

  it("takes new credentials after old ones were refused", async () => {
    used.server.seedSecret("train", { HF_TOKEN: token() });
    const provider = await ownSource();
    opened.push(provider);
    expect(await attach(provider, ["modal://train#HF_TOKEN"])).toMatchObject([{ name: "train" }]);
    used.server.expireTokens();
    const refused = await attach(provider, ["modal://train#HF_TOKEN"]);
    expect(refused).toMatchObject([{ code: "SECRET_UNAUTHENTICATED" }]);
    expect(await attach(provider, ["modal://train#HF_TOKEN"])).toMatchObject([{ name: "train" }]);
  });

  it.each([
    ["https://[", "ENDPOINT_REFUSED"],
    ["api.modal.com", "ENDPOINT_REFUSED"],
    ["ftp://127.0.0.1", "ENDPOINT_REFUSED"],
    ["http://modal.example", "ENDPOINT_REFUSED"],
    ["http://localhost.example", "ENDPOINT_REFUSED"],
    ["http://127.0.0.1.example", "ENDPOINT_REFUSED"],
    ["http://[::1]:8080", "ENDPOINT_REFUSED"],
    ["http://172.21.0.1", "ENDPOINT_REFUSED"],
  ])("refuses the server %s", async (url, code) => {
    vi.stubEnv("MODAL_SERVER_URL", url);
    for (const source of Object.values(sources)) {
      const provider = await source().catch(() => undefined);
      if (provider === undefined) continue;
      opened.push(provider);
      expect(await attach(provider, ["modal://train#KEY"])).toMatchObject([{ code }]);
    }
  });

  it("tells of missing credentials before it calls", async () => {
    for (const name of ["MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"]) vi.stubEnv(name, undefined);
    const provider = await ownSource();
    opened.push(provider);
    const [outcome] = await attach(provider, ["modal://train#KEY"]);
    expect(outcome).toMatchObject({ code: "SECRET_UNAUTHENTICATED" });
    expect(String(outcome)).toContain("modal token new");
    vi.stubEnv("MODAL_TOKEN_ID", used.server.env()["MODAL_TOKEN_ID"]);
    vi.stubEnv("MODAL_TOKEN_SECRET", token());
    const wrong = await attach(provider, ["modal://train#KEY"], never);
    expect(wrong).toMatchObject([{ code: "SECRET_UNAUTHENTICATED" }]);
  });

  it("tells of a server that is not there", async () => {
    vi.stubEnv("MODAL_SERVER_URL", "http://127.0.0.1:9");
    const provider = await ownSource({ timeoutMs: 400 });
    opened.push(provider);
    const outcomes = await attach(provider, ["modal://train#KEY"]);
    expect(outcomes).toMatchObject([{ code: "SECRET_UNREACHABLE" }]);
  });
});
