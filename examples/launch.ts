// A launcher: declares what a job gets, checks it, runs the job and reports what was masked.
import { randomBytes } from "node:crypto";
import { createSecrets, defineSecrets } from "nopeek";
import { env } from "nopeek/adapters/env";
import { launch, local } from "nopeek/launch";
import { z } from "zod";

// For this example only: a credential that exists just here.
process.env["HF_TOKEN"] = `hf_${randomBytes(24).toString("hex")}`;

const declared = defineSecrets({
  HF_TOKEN: { from: "env://HF_TOKEN", schema: z.string().startsWith("hf_") },
  WANDB_API_KEY: { from: "env://WANDB_API_KEY", optional: true },
});

await using secrets = createSecrets({ providers: [env()] });
const run = await launch({
  on: local(),
  command: [process.execPath, "-e", "console.log('token is', process.env.HF_TOKEN)"],
  secrets: declared,
  from: secrets,
  timeoutMs: 60_000,
});

for (const { name, form, count } of run.redactions.counts) {
  console.log(`masked ${name} ${count} time(s) as ${form}`);
}
console.log(`ended by ${run.endedBy} with code ${run.exitCode}`);
