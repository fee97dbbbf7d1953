import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRunning, startOf } from "./processes.ts";
import type { JobSecret } from "./runtime.ts";

/** Files of secrets in a folder of one run. */
export interface SecretFiles {
  /** Path by the secret's name. */
  readonly paths: Readonly<Record<string, string>>;
  /** Removes folder and files; also done when this process exits. */
  remove(): void;
}

/**
 * Writes secrets to files that only this user can read, in memory (tmpfs) where there is such a
 * place.
 */
export function writeSecretFiles(secrets: readonly JobSecret[]): SecretFiles {
  const folder = makeFolder();
  const remove = () => {
    process.off("exit", remove);
    removeFolder(folder);
  };
  process.on("exit", remove);
  try {
    const paths: Record<string, string> = Object.create(null);
    for (const { name, value } of secrets) {
      const path = join(folder, name);
      writeFileSync(path, value, { mode: 0o600, flag: "wx" });
      paths[name] = path;
    }
    return { paths, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Removes what runs that were killed left behind. */
export function sweepSecretFiles(): void {
  for (const place of places()) sweep(place);
}

/** Where folders may be, the best first. */
function places(): string[] {
  const runtimeFolder = process.env["XDG_RUNTIME_DIR"];
  return ["/dev/shm", ...(runtimeFolder?.startsWith("/") ? [runtimeFolder] : []), tmpdir()];
}

function makeFolder(): string {
  let reason: unknown;
  for (const place of places()) {
    try {
      const folder = mkdtempSync(join(place, ownerPrefix()));
      chmodSync(folder, 0o700);
      return folder;
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

/** The name tells whose folder it is: user, PID namespace, process and its start. */
function ownerPrefix(): string {
  const uid = process.getuid?.() ?? 0;
  return `nopeek-${uid}-${pidNamespace()}-${process.pid}-${startOf(process.pid) ?? 0}-`;
}

const ownerPattern = /^nopeek-(\d+)-(\d+)-(\d+)-(\d+)-\w{6}$/;

/** Removes the folders of processes that are gone. Another namespace's cannot be told and stay. */
function sweep(place: string): void {
  const uid = String(process.getuid?.() ?? 0);
  for (const name of list(place)) {
    const [, owner, namespace, pid, started] = ownerPattern.exec(name) ?? [];
    if (owner !== uid || namespace !== pidNamespace()) continue;
    if (isRunning(Number(pid), started ?? "")) continue;
    const folder = join(place, name);
    const info = lstatSync(folder, { throwIfNoEntry: false });
    if (info?.isDirectory() !== true || String(info.uid) !== uid) continue;
    removeFolder(folder);
  }
}

/** A job may have taken the folder's mode away from us; it is still ours. */
function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    try {
      chmodSync(folder, 0o700);
      rmSync(folder, { recursive: true, force: true });
    } catch {
      process.emitWarning(
        `nopeek: ${folder} cannot be removed; remove it by hand, it holds secrets`,
      );
    }
  }
}

function list(place: string): string[] {
  try {
    return readdirSync(place);
  } catch {
    return [];
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    return "0";
  }
}
