/**
 * One training job on Modal; with `--on local` the same launch runs on this machine.
 *
 * needs: credentials for Modal, as its own tools use them, and there a secret `training` with the key
 * HF_TOKEN; for a local run the variable HF_TOKEN
 */
import { join } from "node:path";
import { createSecrets } from "nopeek";
import { env } from "nopeek/adapters/env";
import { modal, modalRuntime } from "nopeek/adapters/modal";
import { launch, local } from "nopeek/launch";

const sandboxes = modalRuntime({
  app: "nopeek-example",
  image: "python:3.12-slim",
  timeoutMs: 10 * 60_000, // the sandbox ends by then, whatever becomes of this process
});

await using secrets = createSecrets({ providers: [modal(), env()] });
const run = await launch({
  on: process.argv.includes("local") ? local() : sandboxes,
  command: ["python3", "train.py"],
  code: { dir: join(import.meta.dirname, "modal-job") },
  // On Modal the value never passes through here; elsewhere the second source is taken.
  secrets: { HF_TOKEN: { from: ["modal://training#HF_TOKEN", "env://HF_TOKEN"] } },
  from: secrets,
  onNotice: (notice) => console.error(notice),
});

for (const { name, form, count } of run.redactions.counts) {
  console.log(`masked ${name} ${count} time(s) as ${form}`);
}
process.exitCode = run.exitCode;
