#!/usr/bin/env node
import { main } from "./main.ts";

// Node would open a debugger, and with it every secret, on this signal.
process.on("SIGUSR1", () => undefined);

let abandoned = false;
process.exitCode = await main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  abandon: () => {
    abandoned = true;
  },
});
if (abandoned) process.exit();
