import { createHash } from "node:crypto";
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { isRunning, startOf } from "./processes.ts";

/**
 * A name for this process that no other process gets, also after a restart of the machine: for
 * runtimes that mark what they start elsewhere. It tells nothing of the machine.
 *
 * @example
 * const tags = { launcher: launcherId() };
 */
export function launcherId(): string {
  return `${machine()}.${process.pid}.${startOf(process.pid) ?? 0}`;
}

/**
 * Whether the process of a {@link launcherId} still runs; `null` for one of another machine or
 * container, which cannot be told.
 *
 * @example
 * if (isLauncherAlive(tag) === false) end(sandbox); // nobody waits for it any more
 */
export function isLauncherAlive(id: string): boolean | null {
  const [where, pid = "", started = ""] = id.split(".");
  if (where !== machine() || !/^\d+$/.test(pid)) return null;
  return isRunning(Number(pid), started);
}

/** Machine and PID namespace: only there a PID means the same process. */
function machine(): string {
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // No such thing here.
  }
  return createHash("sha256")
    .update(`nopeek ${hostname()} ${namespace}`)
    .digest("hex")
    .slice(0, 12);
}
