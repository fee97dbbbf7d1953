import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { link, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { SecretError } from "../../src/secrets/index.ts";

/** Who holds a lock: the process, told apart from a later one that gets the same number. */
interface Holder {
  readonly nonce: string;
  readonly pid: number;
  readonly started: string;
  /** Host and PID namespace: elsewhere the number means another process, or none. */
  readonly place: string;
}

/**
 * Locks a file for other processes that lock it so too, with a file beside it. The lock of a process
 * that died is taken over.
 *
 * @param file - Absolute, without links. Its folder must be writable.
 * @throws SecretError `SECRET_CONFLICT` if another process holds it, `SECRET_NOT_WRITABLE`.
 */
export async function lockFile(file: string): Promise<AsyncDisposable> {
  const lock = `${file}.nopeek-lock`;
  const own: Holder = {
    nonce: randomUUID(),
    pid: process.pid,
    started: startOf("self"),
    place: placeHere(),
  };
  const mine = `${lock}.${own.nonce}`;
  try {
    await writeFile(mine, JSON.stringify(own), { flag: "wx", mode: 0o600 });
    try {
      if (!(await linked(mine, lock))) await takeOver(file, lock, mine);
    } finally {
      await unlink(mine).catch(() => undefined);
    }
  } catch (error) {
    if (error instanceof SecretError) throw error;
    throw new SecretError(
      "SECRET_NOT_WRITABLE",
      `${file} cannot be locked (${(error as NodeJS.ErrnoException).code ?? "no detail"}); check that its folder can be written`,
    );
  }
  return {
    async [Symbol.asyncDispose]() {
      if ((await holderOf(lock))?.nonce === own.nonce) await unlink(lock).catch(() => undefined);
    },
  };
}

/**
 * Only who makes the file of a dead holder's own name may take its lock: of several that see the same
 * dead holder one does, and who comes late sees another holder.
 */
async function takeOver(file: string, lock: string, mine: string): Promise<void> {
  const holder = await holderOf(lock);
  // Released just now: the caller tries again.
  if (holder === null || !isDead(holder)) throw held(file);
  const right = `${lock}.${holder.nonce}.taken`;
  if (!(await linked(mine, right))) throw held(file);
  try {
    if ((await holderOf(lock))?.nonce !== holder.nonce) throw held(file);
    const copy = `${mine}.new`;
    await link(mine, copy);
    await rename(copy, lock);
  } finally {
    await unlink(right).catch(() => undefined);
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function holderOf(lock: string): Promise<Holder | null> {
  let text: string;
  try {
    text = await readFile(lock, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const unknown: Holder = { nonce: "", pid: 0, started: "", place: "" };
  try {
    const { nonce, pid, started, place } = JSON.parse(text) as Holder;
    return /^[0-9a-f-]{36}$/.test(nonce) ? { nonce, pid: Number(pid), started, place } : unknown;
  } catch {
    // Not one of ours: nobody may take it.
    return unknown;
  }
}

function isDead({ pid, started, place }: Holder): boolean {
  if (place !== placeHere() || !Number.isInteger(pid) || pid <= 0) return false;
  const now = startOf(String(pid));
  if (now !== "" || started !== "") return now !== started;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** When a process started, in clock ticks since boot (proc(5)); empty where that cannot be told. */
function startOf(pid: string): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function placeHere(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

function held(file: string): SecretError {
  return new SecretError(
    "SECRET_CONFLICT",
    `${file} is being changed by another process; try again, and if none is at work, remove ${file}.nopeek-lock`,
  );
}
