/**
 * A sweep over learning rates: many sandboxes at once, one declaration, one stored bundle of secrets
 * at most, and every line of output with the name of its job.
 *
 * needs: credentials for Modal, as its own tools use them, and the variable HF_TOKEN
 */
import { createSecrets } from "nopeek";
import { env } from "nopeek/adapters/env";
import { modalRuntime } from "nopeek/adapters/modal";
import { launchMany } from "nopeek/launch";

const program = `
import os
rate = float(os.environ["LR"])
print(f"lr={rate} loss={abs(rate - 0.03):.3f} token={os.environ['HF_TOKEN']}")
`;

await using secrets = createSecrets({ providers: [env()] });
const results = await launchMany({
  on: modalRuntime({ app: "nopeek-example", image: "python:3.12-slim", timeoutMs: 600_000 }),
  command: ["python3", "-c", program],
  jobs: [0.3, 0.1, 0.03, 0.01, 0.003].map((rate) => ({
    name: `lr-${rate}`,
    env: { LR: String(rate) },
  })),
  concurrency: 3,
  stopOnHalt: true, // a job that was halted, because it leaked, stops the others
  secrets: { HF_TOKEN: "env://HF_TOKEN" },
  from: secrets,
  onProgress: ({ jobs, running, waiting }) => {
    console.error(`${jobs - running - waiting} of ${jobs} done, ${running} running`);
  },
});

const good = results.filter((one) => one.status === "ended" && one.result.exitCode === 0);
console.log(`${good.length} of ${results.length} jobs succeeded`);
