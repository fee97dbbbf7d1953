import { createHash } from "node:crypto";
import { constants, readSync } from "node:fs";
import type { Root } from "../paths/index.ts";
import { anchorLine, readAnchor } from "./anchor-line.ts";
import type { AppendFile } from "./file.ts";
import type { AuditKeys } from "./keys.ts";
import { anchorsName } from "./place.ts";

const { O_RDWR, O_CREAT, O_APPEND } = constants;
const newline = 0x0a;

/** How far a file of the log has come. */
export interface Head {
  readonly records: number;
  readonly mac: string;
}

/** Writes the anchors of one file of the log, to a file that all writers share. */
export class AnchorWriter {
  readonly #fd: number;
  readonly #file: AppendFile;
  readonly #keys: AuditKeys;
  readonly #about: string;
  readonly #hash = createHash("sha256");
  readonly #chunk = Buffer.allocUnsafe(64 * 1024);
  #seen = 0;
  #endsInLine: boolean = true;

  /**
   * @param open - Makes the file of a descriptor.
   * @param about - The file of the log that the anchors are about.
   */
  constructor(root: Root, keys: AuditKeys, about: string, open: (fd: number) => AppendFile) {
    this.#fd = root.openSync(anchorsName, O_RDWR | O_CREAT | O_APPEND, 0o600);
    this.#file = open(this.#fd);
    this.#keys = keys;
    this.#about = about;
  }

  /** Whether there is no anchor yet. */
  get isEmpty(): boolean {
    this.#look();
    return this.#seen === 0;
  }

  /** Whether there are anchors of files that have records: others only announce a file. */
  get isOfRecords(): boolean {
    return this.#lines().some((line) => (readAnchor(this.#keys.check, line)?.records ?? 0) > 0);
  }

  /** Whether there are anchors, and none of this key. */
  get isOfOtherKey(): boolean {
    const lines = this.#lines().filter((line) => line.endsWith("}"));
    return lines.length > 0 && !lines.some((line) => readAnchor(this.#keys.check, line) !== null);
  }

  /** Adds an anchor; it is on the disk when this settles. */
  async add(at: string, head: Head): Promise<void> {
    this.#look();
    const line = anchorLine(this.#keys.sign, {
      at,
      file: this.#about,
      ...head,
      seen: this.#seen,
      seenHash: this.#hash.copy().digest("hex"),
    });
    // A crash may have left half a line, which must not swallow this one.
    const text = this.#endsInLine ? line : `\n${line}`;
    // One write, so that lines of several writers do not mix.
    await this.#file.write(Buffer.from(text));
    await this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #lines(): string[] {
    this.#look();
    const bytes = Buffer.alloc(this.#seen);
    readSync(this.#fd, bytes, 0, bytes.length, 0);
    return bytes.toString("latin1").split("\n");
  }

  /** Takes in what was added since, by whomever. */
  #look(): void {
    for (;;) {
      const count = readSync(this.#fd, this.#chunk, 0, this.#chunk.length, this.#seen);
      if (count === 0) return;
      this.#hash.update(this.#chunk.subarray(0, count));
      this.#endsInLine = this.#chunk[count - 1] === newline;
      this.#seen += count;
    }
  }
}
