/** What importing the adapters loads, and what they say without their clients. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { startGcp } from "nopeek/testing";
import { describe, expect, test } from "vitest";
import { runFile } from "../support/node-child.ts";

const newValue = () => randomBytes(18).toString("base64url");
const hook = ["--import", join(import.meta.dirname, "../cases/no-cloud-client.mjs")];
const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true", no_proxy: "127.0.0.1" };

describe("clients are loaded at their first use", () => {
  test.each([
    ["aws-sm://name", "npm install @aws-sdk/client-secrets-manager@3"],
    ["gcp-sm://project/name", "npm install @google-cloud/secret-manager@6"],
  ])("and %s without its client says: %s", async (reference, install) => {
    const ended = await runFile("test/cases/import-adapters.mjs", [reference], quiet, hook);
    expect(ended.stderr).toBe("");
    expect(ended.stdout).toContain("imported in memory");
    expect(ended.stdout).toContain(install);
  });

  test("the hook does see them (positive control)", async () => {
    const file = "test/cases/raw-sdk-logging.mjs";
    const ended = await runFile(file, [], quiet, hook);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain("a cloud client was loaded");
  });
});

test("Google's own logging prints no value of ours, and does print the raw client's", async () => {
  await using server = await startGcp();
  const value = newValue();
  server.seed("name", value);
  const env = { ...quiet, ...server.env, GOOGLE_SDK_NODE_LOGGING: "all" };
  const base64 = Buffer.from(value).toString("base64");
  const bytes = [...Buffer.from(value)].join(",");
  const shows = (output: string) => [value, base64, bytes].some((form) => output.includes(form));

  const reference = `gcp-sm://${server.project}/name`;
  const ours = await runFile("test/cases/read-with-sdk-logging.mjs", [reference], env);
  expect(ours.code).toBe(0);
  expect(server.calls).toEqual(["AccessSecretVersion", "AddSecretVersion"]);
  expect(shows(ours.stdout + ours.stderr)).toBe(false);

  const args = [server.endpoint, `projects/${server.project}/secrets/name/versions/1`];
  const raw = await runFile("test/cases/raw-sdk-logging.mjs", args, env);
  expect(shows(raw.stdout + raw.stderr)).toBe(true);
});
