import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { startAws, startGcp, startIam } from "nopeek/testing";
import { describe, expect, it } from "vitest";
import { root } from "./support/command.ts";
import { startSearchedModal } from "./support/modal.ts";
import { randomToken } from "./support/values.ts";

it("the quick start trains a model and prints no credential", () => {
  const start = join(root, "examples/quickstart/start.mjs");
  const run = spawnSync(process.execPath, [start], { encoding: "utf8" });
  expect(run.status).toBe(0);
  const accuracy = [...run.stdout.matchAll(/"accuracy":([\d.]+)/g)].map(([, value]) =>
    Number(value),
  );
  expect(accuracy).toHaveLength(4);
  expect(accuracy.at(-1)).toBeGreaterThan(0.9);
  expect(run.stdout).toContain("\r|####################| epoch 40/40");
  // What it does with its credentials, and what is left of that.
  expect(run.stdout).toContain("lr=0.4 token=[REDACTED:HF_TOKEN]");
  expect(run.stdout).toContain("Authorization: Bearer [REDACTED:HF_TOKEN]");
  expect(run.stdout).toMatch(/Authorization: Basic \w*\[REDACTED:HF_TOKEN\]/);
  expect(run.stdout).toContain(
    "pulling data from [REDACTED:REGISTRY_URL]?auth=[REDACTED:HF_TOKEN]",
  );
  expect(run.stdout).toContain('"deployKey":"[REDACTED:DEPLOY_KEY]"');
  expect(run.stdout).toMatch(/uploading with .{0,4}\[REDACTED:HF_TOKEN\]\n/);
  expect(run.stderr).toContain("invalid credential [REDACTED:HF_TOKEN]");
  expect(run.stderr).toMatch(
    /nopeek: masked 9 values in the output: .*HF_TOKEN.*REGISTRY_URL.*DEPLOY_KEY/,
  );
  expect(run.stdout + run.stderr).not.toMatch(/hf_\w{6}|BEGIN PRIVATE/);
});

const modules = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"));
const usesCloud = (name: string) =>
  /adapters\/(?:aws|gcp|modal)/.test(readFileSync(join(root, "examples", name), "utf8"));

/** As a consumer runs it: by the package's name, against what was built. */
async function runExample(name: string, args: string[] = [], env: Record<string, string> = {}) {
  const jiti = join(root, "node_modules/jiti/lib/jiti-cli.mjs");
  const child = spawn(process.execPath, [jiti, join(root, "examples", name), ...args], {
    env: { PATH: process.env["PATH"] ?? "", JITI_FS_CACHE: "false", ...quiet, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = [text(child.stdout), text(child.stderr)] as const;
  const code = await new Promise((settle) => child.on("close", settle));
  return { code, stdout: await output[0], stderr: await output[1] };
}

const quiet = {
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  AWS_EC2_METADATA_DISABLED: "true",
  no_proxy: "127.0.0.1,localhost",
};

it.each(modules.filter((name) => !usesCloud(name)))("examples/%s runs", async (name) => {
  const run = await runExample(name);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  expect(run.stdout).toContain("[REDACTED:");
});

describe("examples that need a cloud run against loopback servers", () => {
  const tested = [
    "incident-drill.ts",
    ...["modal-launch.ts", "modal-sweep.ts", "read-aws.ts", "read-gcp.ts", "rotate.ts"],
    "sync-aws-to-modal.ts",
  ];

  it("all of them", () => {
    expect(modules.filter(usesCloud).sort()).toEqual(tested);
  });

  it("incident-drill", async () => {
    const run = await runExample("incident-drill.ts");
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toContain("[REDACTED:HF_TOKEN]\nended by halt;");
    expect(run.stdout).toContain("found 1 times in 1 files");
    expect(run.stdout).toMatch(/train\.log` \| 2 \| 11 \| `text` \| `HF_TOKEN` \| `raw`/);
    expect(run.stdout).toContain("| phase | `lessons` |");
    expect(run.stdout).not.toMatch(/hf_\w{6}/);
  }, 20_000);

  it("read-aws", async () => {
    await using server = await startAws();
    const token = randomToken();
    server.seed("ml/hf", JSON.stringify({ token }));
    const run = await runExample("read-aws.ts", ["aws-sm://ml/hf#token"], server.env);
    expect(run).toEqual({
      code: 0,
      stdout: `the token is [REDACTED:HF_TOKEN], and has ${token.length} characters\n`,
      stderr: "",
    });
    const missing = await runExample("read-aws.ts", ["aws-sm://none"], server.env);
    expect(missing).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("SECRET_NOT_FOUND"),
    });
  });

  it("read-gcp", async () => {
    await using server = await startGcp();
    const token = randomToken();
    server.seed("hf", token);
    server.seed("hf", "of another time");
    server.setState("hf", 2, "DISABLED");
    const reference = `gcp-sm://${server.project}/hf?version=latest-enabled`;
    const run = await runExample("read-gcp.ts", [reference], server.env);
    expect(run).toEqual({
      code: 0,
      stdout: `the token is [REDACTED:HF_TOKEN], and has ${token.length} characters\n`,
      stderr: "",
    });
  });

  it.each([
    ["on Modal", []],
    ["on this machine", ["--on", "local"]],
  ])(
    "modal-launch %s",
    async (_, args) => {
      await using modal = await startSearchedModal();
      modal.seedSecret("training", { HF_TOKEN: randomToken("hf_"), OTHER: "not declared" });
      const env = { ...modal.env(), HF_TOKEN: randomToken("hf_") };
      const run = await runExample("modal-launch.ts", args, env);
      expect(run).toMatchObject({ code: 0 });
      expect(run.stdout).toContain("epoch 3: token is [REDACTED:HF_TOKEN]\n");
      expect(run.stdout).toMatch(/masked HF_TOKEN \d+ time\(s\) as raw/);
      expect(modal.sandboxes()).toHaveLength(args.length === 0 ? 1 : 0);
    },
    20_000,
  );

  it("modal-sweep", async () => {
    await using modal = await startSearchedModal();
    const run = await runExample("modal-sweep.ts", [], {
      ...modal.env(),
      HF_TOKEN: randomToken("hf_"),
    });
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toMatch(/^\[lr-0\.1\]\s+lr=0\.1 loss=[\d.]+ token=\[REDACTED:HF_TOKEN\]$/m);
    expect(run.stdout).toContain("5 of 5 jobs succeeded\n");
    expect(modal.sandboxes()).toHaveLength(5);
  }, 20_000);
  it("rotate", async () => {
    await using aws = await startAws();
    await using iam = await startIam();
    await using modal = await startSearchedModal();
    const { id, secret } = iam.createKey("ml-uploader");
    aws.seed("ml/uploader", JSON.stringify({ accessKeyId: id, secretAccessKey: secret }));
    modal.seedSecret("training", { OTHER: "kept" });
    const env = { ...aws.env, ...modal.env(), ...iam.env };
    const idle = await runExample("rotate.ts", ["--yes"], env);
    expect(idle).toEqual({ code: 0, stdout: "fresh\n", stderr: "" });
    const plan = await runExample("rotate.ts", ["--leaked"], env);
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(plan.stdout).toContain("update the copy modal://training");
    expect(iam.keys("ml-uploader")).toEqual([id]);
    const leaked = await runExample("rotate.ts", ["--leaked", "--yes"], env);
    expect(leaked).toMatchObject({ code: 0, stderr: "" });
    expect(leaked.stdout).toMatch(/^rotated\n/);
    const copy = modal.secret("training") ?? {};
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", OTHER } = copy;
    expect(iam.accepts(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)).toBe(true);
    expect([iam.keys("ml-uploader"), OTHER]).toEqual([[AWS_ACCESS_KEY_ID], "kept"]);
    expect((leaked.stdout + plan.stdout).includes(AWS_SECRET_ACCESS_KEY)).toBe(false);
  }, 30_000);

  it("sync-aws-to-modal", async () => {
    await using aws = await startAws();
    await using modal = await startSearchedModal();
    const [token, key] = [randomToken("hf_"), randomToken("")];
    aws.seed("ml/huggingface", JSON.stringify({ token }));
    aws.seed("ml/wandb", JSON.stringify({ api_key: key }));
    modal.seedSecret("training", { HF_TOKEN: "old", OTHER: "kept" });
    const run = await runExample("sync-aws-to-modal.ts", [], { ...aws.env, ...modal.env() });
    expect(run).toEqual({
      code: 0,
      stdout: "modal://training now holds HF_TOKEN and WANDB_API_KEY\n",
      stderr: "",
    });
    expect(modal.secret("training")).toMatchObject({
      HF_TOKEN: token,
      WANDB_API_KEY: key,
      OTHER: "kept",
    });
  }, 20_000);
});
