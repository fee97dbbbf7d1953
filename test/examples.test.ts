import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./support/command.ts";

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

// As a consumer runs them: by the package's name, against what was built.
it.each(modules)("examples/%s runs", (name) => {
  const jiti = join(root, "node_modules/jiti/lib/jiti-cli.mjs");
  const run = spawnSync(process.execPath, [jiti, join(root, "examples", name)], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", JITI_FS_CACHE: "false" },
  });
  expect([run.status, run.stderr]).toEqual([0, ""]);
  expect(run.stdout).toContain("[REDACTED:");
});
