import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** In memory where that is possible: these tests make and remove many thousands of files. */
const place = canWrite("/dev/shm") ? "/dev/shm" : tmpdir();

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A folder that is gone when the test ends. */
export function scratch(): string {
  const folder = realpathSync(mkdtempSync(join(place, "nopeek-test-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Makes a tree from lines: `a/b/` is a folder, `link => target` a link, and anything else a file
 * that holds its own name.
 */
export function plant(folder: string, lines: readonly string[]): string {
  for (const line of lines) {
    const [name = "", target] = line.split(" => ");
    const path = join(folder, name);
    const isFolder = target === undefined && name.endsWith("/");
    mkdirSync(isFolder ? path : dirname(path), { recursive: true });
    if (target !== undefined) symlinkSync(target, path);
    else if (!isFolder) writeFileSync(path, name);
  }
  return folder;
}

/** The descriptors that this process holds; null where they cannot be counted. */
export function countDescriptors(): number | null {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : null;
}

/** The code that something fails with; `none` if it does not. */
export function codeOf(act: () => unknown): string {
  try {
    act();
    return "none";
  } catch (error) {
    return (error as { code?: string }).code ?? `no code: ${error}`;
  }
}

/** The same of a promise. */
export async function codeOfLater(act: () => Promise<unknown>): Promise<string> {
  return act().then(
    () => "none",
    (error: { code?: string }) => error.code ?? `no code: ${error}`,
  );
}

/** Long forms of tests run with `SLOW=1`. */
export const isSlow = process.env["SLOW"] === "1";
