import type { RuleChoice } from "../detect/index.ts";
import type { Finding } from "../redact/index.ts";
import type { Secret } from "../secrets/index.ts";

export interface ScanOptions {
  /** Values to look for, in every form (default: none). */
  readonly secrets?: Iterable<Secret> | undefined;
  /** Formats of credentials to look for (default: those that are known). */
  readonly rules?: RuleChoice | undefined;
  /**
   * Makes fingerprints that can be compared with those of an audit log: `(v) => audit.fingerprint(v)`.
   * Without it they are this process's own.
   */
  readonly fingerprint?: ((value: Uint8Array) => string) | undefined;
  /** Told of each finding as it is made; those of one file in order. */
  readonly onFinding?: ((finding: ScanFinding) => void) | undefined;
  /** Whether a finding is one; others are neither kept nor counted. One that it throws for is one. */
  readonly filter?: ((finding: ScanFinding) => boolean) | undefined;
  /** Findings beyond are counted, not kept (default: 10,000). */
  readonly maxFindings?: number | undefined;
  /** Of one file no more is looked at, in bytes, unpacked (default: 64 GiB). */
  readonly maxFileBytes?: number | undefined;
  /** Files that are read at once, at most 64 (default: 4). */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where a file holds a secret; never what it is. */
export interface ScanFinding extends Omit<Finding, "offset"> {
  /** The path as it was given or found, secrets masked and control characters escaped. */
  readonly file: string;
  /** From 1; 0 if it is the name of the file that holds the secret. */
  readonly line: number;
  /** The first byte in its line, from 1; 0 for a name. */
  readonly column: number;
  /**
   * `text`: in the file as it is. `gzip`: in what was packed, and the line is one of that.
   * `rest`: behind what could be unpacked, and the line is counted from there. `name`: in its name.
   */
  readonly part: "text" | "gzip" | "rest" | "name";
}

/** What was not looked at, or not as a whole. */
export interface SkippedFile {
  readonly file: string;
  /**
   * `link`, `special` (a device, FIFO or socket): not opened. `unreadable`. `cut`: the packed part
   * ends in the middle, and was looked at so far. `packed`: it, or a part of it, is in a format that is
   * not unpacked, or packed twice. `limit`: it is longer than the limit, has too many empty packed
   * parts, or its folder is too deep.
   */
  readonly why: "link" | "special" | "unreadable" | "cut" | "packed" | "limit";
}

export interface ScanResult {
  /** In the order of the paths that were given and of names, then of lines. */
  readonly findings: readonly ScanFinding[];
  /** How many findings there were, also those beyond `maxFindings`. */
  readonly total: number;
  /** Files in which something was found. */
  readonly filesWithFindings: number;
  /** Files that were looked at. */
  readonly files: number;
  /** Bytes that were looked at, unpacked. */
  readonly bytes: number;
  readonly skipped: readonly SkippedFile[];
}
