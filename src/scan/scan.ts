import type { FileHandle } from "node:fs/promises";
import { createRedactor, type Finding, type Redactor } from "../redact/index.ts";
import { type Secret, SecretError } from "../secrets/index.ts";
import { checkLimits, type Limits } from "./check-options.ts";
import { readContent } from "./content.ts";
import { LineCounter } from "./line-counter.ts";
import type { ScanFinding, ScanOptions, ScanResult, SkippedFile } from "./options.ts";
import { shownName } from "./shown-name.ts";
import { type FoundFile, walk } from "./walk.ts";

/**
 * Looks through files and trees for secrets: known values in every form, and what has the format of a
 * credential. Files are read in bounded memory, gzip is unpacked, links are not followed.
 *
 * @param paths - Files and folders.
 * @returns Where something was found, never what.
 * @throws SecretError `FILE_NOT_FOUND` for a path that does not exist, `SECRET_ABORTED`.
 * @throws TypeError for limits that are no whole numbers.
 *
 * @example
 * const { findings } = await scan(["logs"], { secrets: [token], rules: "none" });
 * for (const { file, line, column, form } of findings) console.log(`${file}:${line}:${column}`, form);
 */
export async function scan(
  paths: readonly string[],
  options: ScanOptions = {},
): Promise<ScanResult> {
  const search = new Search(options);
  try {
    return await search.run(paths);
  } finally {
    search.close();
  }
}

interface FoundInFile {
  readonly order: number;
  readonly findings: ScanFinding[];
}

class Search {
  readonly #options: ScanOptions;
  readonly #limits: Limits;
  readonly #redactor: Redactor;
  /** By the fingerprint of this process. */
  readonly #prints = new Map<string, string>();
  readonly #found: FoundInFile[] = [];
  readonly #skipped: SkippedFile[] = [];
  #kept = 0;
  #hasWarned = false;
  #total = 0;
  #files = 0;
  #filesWithFindings = 0;
  #bytes = 0;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#limits = checkLimits(options);
    const secrets: readonly Secret[] = [...(options.secrets ?? [])];
    const { fingerprint, rules } = options;
    this.#redactor = createRedactor({ secrets, rules, fingerprint });
    if (fingerprint === undefined) return;
    for (const secret of secrets) {
      this.#prints.set(secret.fingerprint, fingerprint(secret.revealBytes()));
    }
  }

  async run(paths: readonly string[]): Promise<ScanResult> {
    const files = walk(paths, (name, why) => this.#skip(name, why));
    const { concurrency } = this.#limits;
    const state: { order: number; isOver: boolean } = { order: 0, isOver: false };
    const worker = async () => {
      try {
        for (let next = await files.next(); next.done !== true; next = await files.next()) {
          if (state.isOver) await next.value.handle?.close();
          else await this.#look(next.value, state.order++);
        }
      } finally {
        // Ended or failed: the others end with the file that they are at.
        state.isOver = true;
      }
    };
    const workers = Array.from({ length: concurrency }, worker);
    const failed = (await Promise.allSettled(workers)).find(({ status }) => status === "rejected");
    await files.return(undefined);
    if (failed?.status === "rejected") throw failed.reason;
    return {
      findings: this.#found
        .sort((one, other) => one.order - other.order)
        .flatMap(({ findings }) => findings),
      total: this.#total,
      filesWithFindings: this.#filesWithFindings,
      files: this.#files,
      bytes: this.#bytes,
      skipped: this.#skipped.sort((one, other) => (one.file < other.file ? -1 : 1)),
    };
  }

  close(): void {
    this.#redactor[Symbol.dispose]();
  }

  #skip(name: string, why: SkippedFile["why"]): void {
    this.#skipped.push({ file: this.#shown(name), why });
  }

  #shown(name: string): string {
    return shownName(this.#redactor.redact(name));
  }

  async #look({ name, handle }: FoundFile, order: number): Promise<void> {
    const file = this.#shown(name);
    const own: FoundInFile = { order, findings: [] };
    const before = this.#total;
    try {
      this.#assertWanted();
      for (const finding of this.#redactor.find(name)) {
        this.#take(own, { ...finding, file, line: 0, column: 0, part: "name" });
      }
      if (handle === null) this.#skipped.push({ file, why: "unreadable" });
      else await this.#read(handle, file, own);
      if (handle !== null) this.#files++;
    } catch (error) {
      const isSystems = (error as NodeJS.ErrnoException).syscall !== undefined;
      if (!isSystems) throw error;
      this.#skipped.push({ file, why: "unreadable" });
    } finally {
      await handle?.close();
    }
    if (this.#total > before) this.#filesWithFindings++;
    if (own.findings.length > 0) this.#found.push(own);
  }

  #assertWanted(): void {
    if (this.#options.signal?.aborted !== true) return;
    throw new SecretError("SECRET_ABORTED", "the search was ended before it was through");
  }

  async #read(handle: FileHandle, file: string, own: FoundInFile): Promise<void> {
    let part: ScanFinding["part"] | undefined;
    let reader = this.#reader(file, "text", own);
    const trouble = (why: SkippedFile["why"]) => void this.#skipped.push({ file, why });
    const reading = {
      maxBytes: this.#limits.maxFileBytes,
      assertWanted: () => this.#assertWanted(),
    };
    for await (const chunk of readContent(handle, reading, trouble)) {
      this.#assertWanted();
      if (part !== chunk.part) {
        reader.end();
        part = chunk.part;
        reader = this.#reader(file, part, own);
      }
      this.#bytes += chunk.bytes.length;
      reader.push(chunk.bytes);
    }
    reader.end();
  }

  #reader(file: string, part: ScanFinding["part"], own: FoundInFile) {
    const lines = new LineCounter();
    let read = 0;
    const finder = this.#redactor.finder({
      onFinding: (finding) => {
        const place = lines.locate(finding.offset);
        this.#take(own, { ...finding, file, ...place, part });
      },
    });
    return {
      push: (bytes: Buffer) => {
        lines.push(bytes);
        finder.push(bytes);
        read += bytes.length;
        lines.keep(read - finder.pending);
      },
      end: () => finder.end(),
    };
  }

  #take(own: FoundInFile, found: ScanFinding & Partial<Pick<Finding, "offset">>): void {
    const { offset: _, ...rest } = found;
    const finding: ScanFinding = {
      ...rest,
      fingerprint: this.#prints.get(found.fingerprint) ?? found.fingerprint,
    };
    const { filter, onFinding } = this.#options;
    // What cannot be judged counts.
    if (this.#asked(() => filter?.(finding)) === false) return;
    this.#total++;
    if (this.#kept < this.#limits.maxFindings) {
      this.#kept++;
      own.findings.push(finding);
    }
    this.#asked(() => onFinding?.(finding));
  }

  /** What the caller's own code says; an error of it must not lose a finding. */
  #asked<T>(ask: () => T): T | undefined {
    try {
      return ask();
    } catch {
      if (!this.#hasWarned) {
        process.emitWarning(
          "nopeek: a filter or listener of findings threw an error, which was ignored",
        );
      }
      this.#hasWarned = true;
      return undefined;
    }
  }
}
