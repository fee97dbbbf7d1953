/** The search that every test of Modal ends with finds what it is for, and takes what is allowed. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../support/command.ts";
import {
  type SearchedCall,
  startSearchedModal,
  strayValues,
  valuesIn,
} from "../../support/modal.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "../../support/values.ts";
import { newClient, useModalServer } from "./harness.ts";

const used = useModalServer();

/** A call as the server keeps it, with its fields one after the other as on the wire. */
function call(method: string, request: Record<string, unknown>): SearchedCall {
  return {
    method,
    request,
    bytes: Buffer.from(Object.values(request).flat().join("\0")),
    headers: {},
  };
}

const values = [randomToken(), awkwardPassword(), privateKeyPem()];

describe.each(values.map((value, index) => [index, value] as const))("value %i", (_, value) => {
  it.each([
    ["as it is", value],
    ["in other text", `--key=${value}&x=1`],
    ["as base64", Buffer.from(value).toString("base64")],
    ["as base64 after a user's name", Buffer.from(`user:${value}`).toString("base64")],
    ["as base64 after two characters", Buffer.from(`a:${value}`).toString("base64")],
    ["as hex", Buffer.from(value).toString("hex")],
    ["in a URL", `https://h.example/?a=${encodeURIComponent(value)}`],
    ["in JSON", JSON.stringify({ value })],
  ])("is found in a command %s", (__, text) => {
    const stray = call("SandboxCreateV2", { command: ["curl", text], secretSources: [value] });
    expect(strayValues([stray], [value])).toEqual(["SandboxCreateV2"]);
    expect(strayValues([{ ...call("X", {}), headers: { note: text } }], [value])).toEqual(["X"]);
    expect(strayValues([stray], [randomToken()])).toEqual([]);
  });

  it("may stand in its field as often as it is sent", () => {
    const once = { envDict: [value] };
    expect(strayValues([call("SecretGetOrCreate", once)], [value])).toEqual([]);
    // A field that this server does not know.
    const twice = { ...call("SecretGetOrCreate", once), bytes: Buffer.from(`${value} ${value}`) };
    expect(strayValues([twice], [value])).toEqual(["SecretGetOrCreate"]);
    expect(strayValues([call("SandboxCreate", once)], [value])).toEqual(["SandboxCreate"]);
  });

  it("may be written to a private file, and to no other", () => {
    const written = (path: string) => [
      call("TaskExecStart", { execId: "e", commandArgs: ["tool", path] }),
      call("TaskExecStdinWriteStream", {
        messages: [{ start: { execId: "e" } }, { data: Buffer.from(value) }],
      }),
    ];
    expect(strayValues(written("/dev/shm/nopeek/KEY"), [value])).toEqual([]);
    expect(strayValues(written("/work/.env"), [value])).toEqual(["TaskExecStdinWriteStream"]);
  });

  it("is found in what came out", () => {
    expect(valuesIn("nothing")).toEqual([]);
    expect(valuesIn(`a ${value}`)).toContain(value);
    expect(valuesIn(new Error("x", { cause: { deep: { in: [value] } } }))).toContain(value);
    expect(valuesIn(Object.defineProperty({}, "hidden", { value }))).toContain(value);
  });
});

it("fails the close of a server that got a value in the wrong place", async () => {
  const client = await newClient();
  const server = await startSearchedModal();
  const { MODAL_SERVER_URL: kept } = process.env;
  Object.assign(process.env, server.env());
  const other = await newClient();
  const app = await other.apps.fromName("train", { createIfMissing: true });
  const image = other.images.fromRegistry("python:3");
  const value = values[0] as string;
  const command = ["echo", value];
  const sandbox = await other.sandboxes.create(app, image, { command, timeoutMs: 5000 });
  await sandbox.wait();
  await expect(server.close()).rejects.toThrow("SandboxCreateV2");
  process.env["MODAL_SERVER_URL"] = kept;
  expect(used.server.url).toBe(kept);
  expect(await client.apps.fromName("train", { createIfMissing: true })).toBeDefined();
});

it("ends every test that has a Modal server", () => {
  const folder = join(root, "test");
  const direct = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) =>
      name.endsWith(".ts") && /\bstartModal[(]/.test(readFileSync(join(folder, name), "utf8")),
  );
  // That of the README is a process of its own, and gives what it received to the test.
  expect(direct.sort()).toEqual(["readme.test.ts", "support/modal.ts"]);
});
