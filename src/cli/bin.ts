#!/usr/bin/env -S node --
import { setFlagsFromString } from "node:v8";
import { tellLostOutput } from "./lost-output.ts";
import { main } from "./main.ts";
import { freeRelayed } from "./relayed-memory.ts";

// The "--" above: Node 20 would take our --env-file for its own, and end if there is no such file.

// Relayed output is short-lived garbage: a young generation that does not grow keeps memory flat.
setFlagsFromString("--semi-space-growth-factor=1");
freeRelayed([process.stdout, process.stderr]);

// Node would open a debugger, and with it every secret, on this signal.
process.on("SIGUSR1", () => undefined);

// Where this cannot be written, nothing can be told.
process.stderr.on("error", () => undefined);
const output = tellLostOutput(process.stdout);

let abandoned = false;
process.exitCode = await main(process.argv.slice(2), {
  // Opened by the verbs that read it.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  watchesOutput: () => output.leave(),
  abandon: () => {
    abandoned = true;
  },
});
if (abandoned) process.exit();
