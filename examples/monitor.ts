// Stops a job that prints a credential of its own, tells a pager, and rotates what leaked.
import { randomBytes } from "node:crypto";
import { Secret } from "nopeek";
import { launch } from "nopeek/launch";
import { createMonitor } from "nopeek/monitor";

// For this example only: a credential that exists just here.
const token = new Secret(`hf_${randomBytes(24).toString("hex")}`, { name: "HF_TOKEN" });

const monitor = createMonitor({
  onLeak: "halt+rotate",
  // The first line that fits a finding decides; `onLeak` decides about the rest.
  onFinding: [
    { name: "WANDB_*", action: "alert" },
    { confidence: "placeholder", action: "redact" },
    { rule: "path-traversal", stream: "command", action: "halt" },
  ],
  // Beside commands and webhooks, a sink of one's own. One that hangs or fails costs its alerts only.
  alerts: [{ name: "pager", send: ({ text, severity }) => console.log(`${severity}: ${text}`) }],
  rotate: async ({ name }) => console.log(`rotating ${name}`),
});

const run = await launch({
  command: [
    process.execPath,
    "-e",
    "console.log(process.env.HF_TOKEN); setInterval(() => {}, 1e3)",
  ],
  secrets: { HF_TOKEN: token },
  monitor,
});

console.log(`ended by ${run.endedBy} with code ${run.exitCode}`);
for (const { name, outcome } of run.incident?.rotations ?? []) console.log(`${name}: ${outcome}`);
