#!/usr/bin/env -S node --
import { setFlagsFromString } from "node:v8";
import { main } from "./main.ts";
import { freeRelayed } from "./relayed-memory.ts";

// The "--" above: Node 20 would take our --env-file for its own, and end if there is no such file.

// Relayed output is short-lived garbage: a young generation that does not grow keeps memory flat.
setFlagsFromString("--semi-space-growth-factor=1");
freeRelayed([process.stdout, process.stderr]);

// Node would open a debugger, and with it every secret, on this signal.
process.on("SIGUSR1", () => undefined);

// A reader that went away, such as `head`, is no failure.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

let abandoned = false;
process.exitCode = await main(process.argv.slice(2), {
  // Opened by the verbs that read it.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  abandon: () => {
    abandoned = true;
  },
});
if (abandoned) process.exit();
