import { startAws, startGcp } from "nopeek/testing";
import { expect, it } from "vitest";
import { emptyFolder, job, nopeek } from "../support/command.ts";
import { startSearchedModal } from "../support/modal.ts";
import { randomToken } from "../support/values.ts";

const quiet = {
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  AWS_EC2_METADATA_DISABLED: "true",
  no_proxy: "127.0.0.1,localhost",
};

it("runs with secrets of AWS and GCP, and passes none of the launcher's own credentials", async () => {
  await using aws = await startAws();
  await using gcp = await startGcp();
  const [token, key] = [randomToken("hf_"), randomToken("")];
  aws.seed("ml/hf", JSON.stringify({ token }));
  gcp.seed("wandb", key);
  const secrets = [
    "--secret",
    "HF_TOKEN=aws-sm://ml/hf#token",
    "--secret",
    `WANDB_API_KEY=gcp-sm://${gcp.project}/wandb`,
  ];
  const program =
    "const e = process.env; console.log(e.HF_TOKEN, e.WANDB_API_KEY.length, Object.keys(e).filter((n) => /^(AWS|GOOGLE|SECRET_MANAGER)/.test(n)).join())";
  const run = await nopeek(["run", ...secrets, ...job(program)], {
    env: { ...quiet, ...aws.env, ...gcp.env },
  });
  expect(run).toMatchObject({ code: 0, stdout: `[REDACTED:HF_TOKEN] ${key.length} \n` });
  expect(run.stderr).not.toContain(token);
});

it("checks each secret: where it is, its version and age, and what is missing", async () => {
  await using aws = await startAws();
  await using modal = await startSearchedModal();
  aws.seed("ml/hf", JSON.stringify({ token: randomToken("hf_") }));
  modal.seedSecret("train", { KEY: randomToken() });
  const cwd = emptyFolder({
    "nopeek.config.json": JSON.stringify({
      secrets: {
        HF_TOKEN: "aws-sm://ml/hf#token",
        NONE: "aws-sm://none",
        KEY: "modal://train#KEY",
        OTHER: "modal://train#OTHER",
      },
    }),
  });
  const run = await nopeek(["check"], { cwd, env: { ...quiet, ...aws.env, ...modal.env() } });
  expect(run.code).toBe(1);
  const lines = run.stdout.split("\n");
  expect(lines[0]).toMatch(
    /^ok {6}HF_TOKEN {2}from aws-sm:\/\/ml\/hf#token, version [\w-]+, \d+ s old$/,
  );
  expect(lines[1]).toMatch(/^failed {2}NONE {6}aws-sm:\/\/none does not exist or is empty; set it/);
  expect(lines[2]).toBe("attach  KEY       attached from modal://train#KEY");
  expect(lines[3]).toMatch(/^failed {2}OTHER {5}modal:\/\/train#OTHER does not exist/);
  aws.fail({ kind: "denied" });
  const denied = await nopeek(["check", "--secret", "A=aws-sm://ml/hf"], {
    env: { ...quiet, ...aws.env },
  });
  expect(denied.stdout).toContain("secretsmanager:GetSecretValue");
  expect(denied.stdout).toContain("SECRET_ACCESS_DENIED");
});

it("says that a local job cannot have what only Modal can inject", async () => {
  await using modal = await startSearchedModal();
  modal.seedSecret("train", { KEY: randomToken() });
  const run = await nopeek(["run", "--secret", "KEY=modal://train#KEY", ...job("")], {
    env: { ...quiet, ...modal.env() },
  });
  expect(run.code).toBe(78);
  expect(run.stderr).toContain(
    "KEY: modal://train#KEY can only be attached as a variable, by a runtime of its own; add a second source",
  );
});

it("exits 69 when a store cannot be reached", async () => {
  const aws = await startAws();
  const env = { ...quiet, ...aws.env };
  await aws.close();
  const run = await nopeek(["run", "--secret", "A=aws-sm://x", ...job("")], { env });
  expect(run.code).toBe(69);
  expect(run.stderr).toContain("A: ");
}, 20_000);
