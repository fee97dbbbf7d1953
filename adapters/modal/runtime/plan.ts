import type { Code } from "../../../src/launch/index.ts";
import { type Job, mountVariables } from "../../../src/launch/index.ts";
import { SecretError } from "../../../src/secrets/index.ts";
import { knownSecrets } from "./known.ts";
import type { ModalImage, ModalRuntimeOptions } from "./options.ts";
import { tagsOf } from "./tags.ts";

/** What a sandbox is asked to be; all of it can be read by everybody of the workspace. */
export interface Plan {
  /** What the sandbox runs. */
  readonly command: readonly string[];
  /** Plain variables that are sent beside the secrets; empty where they stand in the command. */
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string | undefined;
  readonly name: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly image: ModalImage;
  /** The command waits until it is told to go, for files have to be there first. */
  readonly isGated: boolean;
}

/**
 * Plain shell: waits for one line, then becomes the command. Without the line, because the launcher
 * died, nothing runs.
 */
const gate =
  'IFS= read -r __line && [ "$__line" = go ] && exec "$@"; echo "nopeek: the command was not started" >&2; exit 125';

export interface PlanOptions {
  readonly options: ModalRuntimeOptions;
  /** Whether the backend takes variables beside the secrets without storing them. */
  readonly takesVariables: boolean;
  /** Further variables that are not secret, such as the paths of files. */
  readonly variables: Readonly<Record<string, string>>;
  readonly isGated: boolean;
  /** Puts a guard around the command, which keeps these plain variables. */
  readonly wrap: (command: readonly string[], plain: readonly string[]) => readonly string[];
}

/** Plans the sandbox of a job. */
export function planSandbox(job: Job, given: PlanOptions): Plan {
  const { options, takesVariables, variables, isGated, wrap } = given;
  const secretNames = new Set(job.secrets.map(({ name }) => name));
  const plain = Object.entries({
    ...job.env,
    ...mountVariables(job.mounts, ({ mountPath }) => mountPath),
    ...variables,
  }).filter(([name]) => !secretNames.has(name) || name in variables);
  let command = wrap(
    job.command,
    plain.map(([name]) => name),
  );
  if (!takesVariables && plain.length > 0) {
    // The older backend would store them as one more secret for each run.
    command = ["env", ...plain.map(([name, value]) => `${name}=${value}`), ...command];
  }
  if (isGated) command = ["/bin/sh", "-c", gate, "sh", ...command];
  const image = typeof options.image === "string" ? { from: options.image } : options.image;
  return {
    command,
    env: takesVariables ? Object.fromEntries(plain) : {},
    workdir: options.workdir ?? job.code?.to,
    name: nameOf(options.name, job.name),
    tags: tagsOf(job, options.tags ?? {}),
    image,
    isGated,
  };
}

function nameOf(own: string | undefined, job: string | undefined): string | undefined {
  if (own === undefined || job === undefined) return own;
  const name = `${own}-${job}`;
  if (/^[a-zA-Z0-9._-]{1,64}$/.test(name)) return name;
  throw new SecretError(
    "DECLARATION_INVALID",
    "the Modal runtime: its name and that of the job must together be up to 64 letters, digits, dots, dashes and underscores",
  );
}

/**
 * Refuses a plan that holds a known value, before anything is sent.
 *
 * @throws SecretError `COMMAND_HOLDS_SECRET`, which names the secret and the place.
 */
export function assertPlanClean(plan: Plan, job: Job, code: Code | undefined): void {
  const redactor = knownSecrets();
  const places: readonly (readonly [place: string, texts: readonly string[]])[] = [
    ["the command", job.command],
    ["a plain variable", Object.entries(job.env).flat()],
    ["a tag", Object.entries(plan.tags).flat()],
    ["the name of the sandbox", [plan.name ?? ""]],
    ["the working directory", [plan.workdir ?? "", code?.to ?? ""]],
    ["a line of the image", [plan.image.from, ...(plan.image.commands ?? [])]],
    [
      "a mount",
      job.mounts.flatMap(({ volume, subPath, bucket }) => textsOf(volume, subPath, bucket)),
    ],
  ];
  for (const [place, texts] of places) {
    for (const text of texts) {
      const [finding] = redactor.find(text);
      if (finding === undefined) continue;
      const { name = "a secret", form } = finding;
      throw new SecretError(
        "COMMAND_HOLDS_SECRET",
        `${place} holds the value of ${name} (${form}), and on Modal everybody of the workspace can read it; let the job read the variable`,
      );
    }
  }
}

function textsOf(...items: readonly (string | object | undefined)[]): string[] {
  return items.flatMap((item) =>
    typeof item === "object" ? Object.values(item).map(String) : [item ?? ""],
  );
}
