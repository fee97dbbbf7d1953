import type { Job } from "../../../src/launch/index.ts";
import type { CodeFiles } from "./code-files.ts";
import type { JobSecrets } from "./secrets.ts";
import type { Upload } from "./upload.ts";

/** Where a job finds its private files: in memory. */
const secretFolder = "/dev/shm/nopeek";

/** The variables that hold the paths of private files. */
export function fileVariables({ files }: JobSecrets): Record<string, string> {
  return Object.fromEntries(files.map(({ name }) => [name, `${secretFolder}/${name}`]));
}

/** Says which files of the program stay here. */
export function tellOfCode(code: CodeFiles | null, job: Job): void {
  const { refused = [], skipped = [] } = code ?? {};
  if (refused.length > 0) {
    job.onNotice?.(`not uploaded, for they may hold credentials: ${listed(refused)}`);
  }
  if (skipped.length > 0) job.onNotice?.(`not uploaded, for they are no files: ${listed(skipped)}`);
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => name.replace(/[^\x20-\x7e]/g, "?"));
  return shown.join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");
}

/** What is written into the sandbox before the command begins: the program and private files. */
export function uploadsOf(job: Job, code: CodeFiles | null, { files }: JobSecrets): Upload[] {
  const to = job.code?.to ?? "";
  return [
    ...(code?.files ?? []).map(({ path, bytes, isExecutable }) => ({
      folder: to,
      path,
      bytes,
      mode: isExecutable ? 0o755 : undefined,
    })),
    ...files.map(({ name, value }) => ({
      folder: secretFolder,
      path: name,
      bytes: value,
      mode: 0o600,
    })),
  ];
}
