import { appendFileSync, lstatSync, readFileSync, truncateSync, unlinkSync } from "node:fs";

const file = ".gitignore";

/** What must not be committed, each with the lines that say so already. */
const ignored: readonly (readonly [line: string, ...others: string[]])[] = [
  [".env", ".env*", "/.env"],
  // What a rotation that was killed leaves behind.
  [".env.nopeek-lock*", ".env*", ".env.*"],
  [".nopeek-*.tmp", "*.tmp"],
];

/**
 * Adds to `.gitignore` what is missing there.
 *
 * @returns How to take that back; `null` if nothing was missing.
 * @throws What the file system says.
 */
export function ignoreSecretFiles(): (() => void) | null {
  const isNew = lstatSync(file, { throwIfNoEntry: false }) === undefined;
  const text = isNew ? "" : readOrNone();
  const lines = new Set(text.split(/\r?\n/).map((line) => line.trim()));
  const missing = ignored.filter((known) => !known.some((line) => lines.has(line)));
  if (missing.length === 0) return null;
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  appendFileSync(file, `${separator}${missing.map(([line]) => `${line}\n`).join("")}`);
  return () => {
    if (isNew) unlinkSync(file);
    else truncateSync(file, Buffer.byteLength(text));
  };
}

/** A link may lead to a file that is not there yet. */
function readOrNone(): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
