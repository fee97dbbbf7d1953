import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process of a job, told apart from a later one that got the same number. */
interface Process {
  readonly pid: number;
  readonly started: string;
}

/**
 * The live processes of a job: those of its process group, and those that left it but carry its
 * run id in their environment. Linux only; elsewhere the list is empty and the group is all.
 */
function processesOf(runId: string, group: number): Process[] {
  return listPids().flatMap((pid) => {
    if (pid === process.pid) return [];
    const stat = readStat(pid);
    if (stat === null || stat.state === "Z" || stat.state === "X") return [];
    const member = stat.group === group || carriesRunId(pid, runId);
    return member ? [{ pid, started: stat.started }] : [];
  });
}

/** When a process started, in clock ticks since boot; null if there is no such process. */
export function startOf(pid: number): string | null {
  return readStat(pid)?.started ?? null;
}

/**
 * Ends every process of a job: asks with SIGTERM, and kills what is left after the grace time.
 *
 * @returns How many processes there were.
 */
export async function endProcesses(runId: string, group: number, graceMs: number): Promise<number> {
  if (!hasProc()) return endGroup(group, graceMs);
  const left = processesOf(runId, group);
  if (left.length === 0) return 0;
  const deadline = performance.now() + graceMs;
  if (graceMs > 0) for (const each of left) send(each, "SIGTERM");
  for (let pause = 1; performance.now() < deadline; pause = Math.min(pause * 2, 50)) {
    await sleep(Math.min(pause, Math.max(1, deadline - performance.now())));
    if (processesOf(runId, group).length === 0) return left.length;
  }
  // A process may start others while it is looked for: kill until a look finds none.
  for (let round = 0; round < 200; round++) {
    const remaining = processesOf(runId, group);
    if (remaining.length === 0) break;
    for (const each of remaining) send(each, "SIGKILL");
    await sleep(5);
  }
  return left.length;
}

/**
 * Signals the processes of a job that left its group. Those that it found the last time get the next
 * signal at once: a look at all processes takes a while on a busy machine.
 */
export function signalStrays(runId: string, group: number): (signal: NodeJS.Signals) => void {
  let known: Process[] = [];
  return (signal) => {
    for (const each of known) send(each, signal);
    const found = processesOf(runId, group).filter(({ pid }) => readStat(pid)?.group !== group);
    for (const each of found) send(each, signal);
    known = found;
  };
}

/** Without /proc: the process group is all that can be found. */
async function endGroup(group: number, graceMs: number): Promise<number> {
  if (!signalGroup(group, graceMs > 0 ? "SIGTERM" : "SIGKILL")) return 0;
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline && signalGroup(group, 0)) await sleep(20);
  signalGroup(group, "SIGKILL");
  return 1;
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

function hasProc(): boolean {
  return startOf(process.pid) !== null;
}

/** Whether the process that started at that time still runs, as far as can be told. */
export function isRunning(pid: number, started: string): boolean {
  if (hasProc()) return startOf(pid) === started;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function send({ pid, started }: Process, signal: NodeJS.Signals): void {
  try {
    if (startOf(pid) === started) process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

function listPids(): number[] {
  try {
    return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

function readStat(pid: number): { state: string; group: number; started: string } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in brackets may hold anything; the fields follow the last bracket (proc(5)).
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state = "", , group = ""] = fields;
    return { state, group: Number(group), started: fields[19] ?? "" };
  } catch {
    return null;
  }
}

/** As its own run id, or as one of its parents' where runs are nested. */
function carriesRunId(pid: number, runId: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
    return environment
      .split("\0")
      .some(
        (entry) =>
          entry === `NOPEEK_RUN_ID=${runId}` ||
          (entry.startsWith("NOPEEK_PARENT_RUNS=") && entry.includes(runId)),
      );
  } catch {
    return false;
  }
}
