import { readdirSync, readFileSync } from "node:fs";
import type { Credential } from "../rotate/index.ts";

/**
 * The launches on this machine whose environment holds a credential: they go on with it, and are
 * refused when it is revoked. Linux only; files of secrets are not looked into.
 */
export function launchesWith({ secret }: Credential): string[] {
  const value = Buffer.from(secret.revealBytes()).toString("latin1");
  const found = new Map<string, string>();
  for (const pid of listPids()) {
    const variables = environmentOf(pid);
    const run = variables.find((variable) => variable.startsWith("NOPEEK_RUN_ID="))?.slice(14);
    if (run === undefined || !/^[\w-]{1,64}$/.test(run) || found.has(run)) continue;
    const holds = variables.some((variable) =>
      variable.slice(variable.indexOf("=") + 1).includes(value),
    );
    if (holds) found.set(run, pid);
  }
  return [...found].map(([run, pid]) => `running launch ${run} (process ${pid})`);
}

function listPids(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Nothing of a process of another user's, or one that has just ended. */
function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    return [];
  }
}
