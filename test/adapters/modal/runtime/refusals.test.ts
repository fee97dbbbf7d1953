/** What is refused before any request is sent, and what arrives of the options. */
import { inspect } from "node:util";
import { Attached, Secret } from "nopeek";
import { type LaunchOptions, launch } from "nopeek/launch";
import { describe, expect, it } from "vitest";
import { type ModalRuntimeOptions, modalRuntime } from "../../../../adapters/modal/index.ts";
import { randomToken } from "../../../support/values.ts";
import { newClient, useModalServer } from "../harness.ts";
import { backends, basic, run, runtime, shell } from "./support.ts";

const used = useModalServer();
const token = randomToken("hf_");
const secrets = { HF_TOKEN: new Secret(token, { name: "HF_TOKEN" }) };

async function refusal(options: Partial<LaunchOptions>, on = runtime()) {
  const before = used.server.calls.length;
  const error = await launch({ on, command: ["true"], secrets, ...options }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(used.server.calls.slice(before).map(({ method }) => method)).toEqual([]);
  expect(inspect(error, { showHidden: true })).not.toContain(token);
  return error as { code: string; message: string };
}

it.each<[string, Partial<LaunchOptions>, string]>([
  ["a value in the command", { command: ["curl", `-H${token}`] }, "COMMAND_HOLDS_SECRET"],
  ["an encoded value in the command", { command: ["x", btoa(token)] }, "COMMAND_HOLDS_SECRET"],
  ["a value in a plain variable", { env: { URL: `https://x/${token}` } }, "COMMAND_HOLDS_SECRET"],
  ["a reserved key", { secrets: { MODAL_TASK_ID: secrets.HF_TOKEN } }, "SECRET_REQUEST_INVALID"],
  [
    "the workspace's token",
    { secrets: { MODAL_TOKEN_SECRET: secrets.HF_TOKEN } },
    "SECRET_REQUEST_INVALID",
  ],
  ["a plain reserved key", { env: { MODAL_REGION: "here" } }, "DECLARATION_INVALID"],
  ["a value with a NUL", { secrets: { A: new Secret(`${token}\0x`) } }, "SECRET_NOT_TEXT"],
  [
    "bytes that are no text",
    { secrets: { A: new Secret(Buffer.from([0xff, 0xfe, 1, 2, 3, 4, 5, 6, 7])) } },
    "SECRET_NOT_TEXT",
  ],
  ["a value of undefined", { secrets: { A: undefined } as never }, "DECLARATION_INVALID"],
  ["a value of null", { secrets: { A: null } as never }, "DECLARATION_INVALID"],
  ["a plain variable of undefined", { env: { A: undefined } as never }, "DECLARATION_INVALID"],
  ["a plain variable of null", { env: { A: null } as never }, "DECLARATION_INVALID"],
  ["a bad name", { secrets: { "1A": secrets.HF_TOKEN } }, "DECLARATION_INVALID"],
  ["a bad name of a plain variable", { env: { "a-b": "x" } }, "DECLARATION_INVALID"],
  ["a command that is too long", { command: ["x", "y".repeat(70_000)] }, "COMMAND_INVALID"],
])("refuses %s", async (_, options, code) => {
  expect((await refusal(options)).code).toBe(code);
});

/** The table of the mounts' own tests; here: no request is sent. */
it.each([
  ["/", "MOUNT_RESERVED"],
  ["/root", "MOUNT_RESERVED"],
  ["/tmp", "MOUNT_RESERVED"],
  ["/proc/self", "MOUNT_RESERVED"],
  ["/etc/ssl", "MOUNT_RESERVED"],
  ["/__modal/x", "MOUNT_RESERVED"],
  ["relative", "MOUNT_NOT_CANONICAL"],
  ["/a/../etc", "MOUNT_NOT_CANONICAL"],
  ["/mnt//x", "MOUNT_NOT_CANONICAL"],
])("refuses a mount at %s", async (path, code) => {
  const mounts = { [path]: { readOnly: true, volume: "sets" } };
  expect((await refusal({ mounts })).code).toBe(code);
});

it.each<[string, LaunchOptions["mounts"], string]>([
  [
    "a sub-path that leads out",
    { "/d": { readOnly: true, volume: "v", subPath: "../.." } },
    "MOUNT_NOT_CANONICAL",
  ],
  [
    "one volume twice",
    { "/d": { readOnly: true, volume: "v" }, "/e": { readOnly: false, volume: "v" } },
    "MOUNT_SOURCE_REUSED",
  ],
  [
    "a mount in another",
    { "/d": { readOnly: true, volume: "v" }, "/d/e": { readOnly: true, volume: "w" } },
    "MOUNT_OVERLAP",
  ],
  ["a mount without readOnly", { "/d": { volume: "v" } as never }, "MOUNT_INVALID"],
  [
    "a mount with a local folder only",
    { "/d": { readOnly: true, dir: "/srv" } },
    "DECLARATION_INVALID",
  ],
  [
    "requesterPays without credentials",
    { "/d": { readOnly: true, bucket: { name: "bkt", requesterPays: true } } },
    "DECLARATION_INVALID",
  ],
  [
    "a mount that holds a value",
    { "/d": { readOnly: true, volume: "v", subPath: token } },
    "COMMAND_HOLDS_SECRET",
  ],
])("refuses %s", async (_, mounts, code) => {
  expect((await refusal({ mounts })).code).toBe(code);
});

it.each<[string, Partial<ModalRuntimeOptions>]>([
  ["a tag", { tags: { note: token } }],
  ["a name", { name: token.slice(0, 60) }],
  ["a working directory", { workdir: `/${token}` }],
  ["a line of the image", { image: { from: "python:3", commands: [`ENV TOKEN=${token}`] } }],
])("refuses a value in %s", async (_, options) => {
  expect((await refusal({}, runtime(options))).code).toBe("COMMAND_HOLDS_SECRET");
});

it("refuses an attached secret that it cannot give under that name", async () => {
  used.server.seedSecret("hf", { TOKEN: "value-of-hf" });
  const attached = new Attached("HF_TOKEN", {
    provider: "modal",
    environment: undefined,
    name: "hf",
    keys: ["TOKEN"],
  });
  const on = runtime();
  const job = {
    runId: "r",
    command: ["true"] as const,
    env: {},
    secrets: [],
    mounts: [],
    cwd: undefined,
  };
  await expect(on.start({ ...job, command: ["true"], attached: [attached] })).rejects.toMatchObject(
    {
      code: "SECRET_NOT_ATTACHABLE",
      message: expect.stringContaining("TOKEN"),
    },
  );
});

describe("options", () => {
  it.each<[string, object]>([
    ["no options", undefined as never],
    ["no app", { app: undefined }],
    ["no image", { image: undefined }],
    ["no time limit", { timeoutMs: undefined }],
    ["a time limit that is no whole seconds", { timeoutMs: 1500 }],
    ["an endless time limit", { timeoutMs: Number.POSITIVE_INFINITY }],
    ["a negative time limit", { timeoutMs: -1000 }],
    ["an unknown option", { memory: 5 }],
    ["an app that is no name", { app: "../x" }],
    ["a relative working directory", { workdir: "work" }],
    ["a working directory with ..", { workdir: "/work/../etc" }],
    ["our own tags", { tags: { "nopeek-run": "x" } }],
    ["tags that are no text", { tags: { a: 5 } }],
    ["a limit without its request", { cpuLimit: 4 }],
    ["a limit below its request", { memoryMiB: 100, memoryLimitMiB: 50 }],
    [
      "a blocked network with exceptions",
      { blockNetwork: true, outboundDomainAllowlist: ["a.example"] },
    ],
    ["a mode that does not exist", { shim: "maybe" }],
    ["no GPU at all", { gpu: "A100:0" }],
    ["an image with two lines", { image: "a\nRUN b" }],
  ])("refuse %s", (_, options) => {
    const make = () => modalRuntime(options && ({ ...basic, ...options } as never));
    expect(make).toThrow(expect.objectContaining({ code: "DECLARATION_INVALID" }));
  });

  it.each(backends)("arrive with %s", async (_, extra) => {
    const options = {
      ...extra,
      ...{ cpu: 2, cpuLimit: 4, memoryMiB: 512, memoryLimitMiB: 1024, idleTimeoutMs: 30_000 },
      outboundDomainAllowlist: ["pypi.org"],
      outboundCidrAllowlist: ["10.0.0.0/8"],
      ...{ cloud: "aws", regions: ["us-east-1"], name: "one", tags: { team: "ml" } },
      ...{ includeOidcIdentityToken: true, workdir: "/srv/x", createVolumes: true },
      image: { from: "python:3.12-slim", commands: ["RUN pip install torch"] },
    };
    const result = await run({
      on: runtime(options),
      command: shell('echo "$DATA_DIR $NOPEEK_MOUNT_OUT"'),
      mounts: {
        "/data": { env: "DATA_DIR", readOnly: true, volume: "sets", subPath: "a/b" },
        "/out": { readOnly: false, volume: "runs" },
        "/bucket": { readOnly: true, bucket: { name: "bkt", keyPrefix: "x/y" } },
      },
    });
    expect(result.out).toBe("/data /out\n");
    const seen = used.server.sandboxes().at(-1);
    expect(seen?.tags).toMatchObject({ team: "ml", nopeek: "run", "nopeek-run": result.runId });
    expect(seen?.tags["nopeek-launcher"]).toMatch(new RegExp(`^\\w{12}\\.${process.pid}\\.\\d+$`));
    expect(seen?.definition).toMatchObject({
      ...{ name: "one", workdir: "/srv/x", timeoutSecs: 60, idleTimeoutSecs: 30 },
      ...{ includeOidcIdentityToken: true, cloudProviderStr: "aws" },
      resources: { milliCpu: 2000, milliCpuMax: 4000, memoryMb: 512, memoryMbMax: 1024 },
      schedulerPlacement: { regions: ["us-east-1"] },
      networkAccess: {
        networkAccessType: 3,
        allowedCidrs: ["10.0.0.0/8"],
        allowedDomains: ["pypi.org"],
      },
      volumeMounts: [
        { mountPath: "/data", readOnly: true, subPath: "a/b" },
        { mountPath: "/out", readOnly: false },
      ],
      cloudBucketMounts: [
        { bucketName: "bkt", mountPath: "/bucket", readOnly: true, keyPrefix: "x/y/" },
      ],
    });
    const [image] = used.server.calls
      .filter(({ method }) => method === "ImageGetOrCreate")
      .slice(-1);
    expect(inspect(image?.request, { depth: 9 })).toContain("RUN pip install torch");
  });
});

it("creates no volume that was not declared to be made", async () => {
  const mounts = { "/data": { readOnly: true, volume: "misspelt" } };
  await expect(launch({ on: runtime(), command: ["true"], mounts })).rejects.toMatchObject({
    code: "LAUNCH_FAILED",
    message: expect.stringContaining("a mount: it does not exist"),
  });
});

it("takes a client of the user, and leaves it open", async () => {
  const client = await newClient();
  const result = await run({ on: runtime({ client }), command: shell("echo $HF_TOKEN"), secrets });
  expect(result.out).toBe("[REDACTED:HF_TOKEN]\n");
  expect(await client.apps.fromName("train")).toBeDefined();
});
