import { setTimeout as sleep } from "node:timers/promises";
import type { Job, RunningJob, Runtime } from "../../../src/launch/index.ts";
import type { Secret } from "../../../src/secrets/index.ts";
import { type ClientSource, givenClient, ownClient } from "../client.ts";
import { statusOf } from "../failures.ts";
import { newShimKey, shimKeyVariable, wrapCommand } from "../shim/index.ts";
import { SecretBundles } from "./bundles.ts";
import type { AppLike, ImageLike, LaunchClient, ProcessLike, SandboxLike } from "./client.ts";
import { type CodeFiles, readCode } from "./code-files.ts";
import { isTransient, launchFailure } from "./failures.ts";
import { launchLimits, modalGuard, withSignal } from "./guard.ts";
import { endRun, endSandbox, listSandboxes } from "./leftovers.ts";
import { checkModalMounts, mountParams } from "./mounts.ts";
import { checkOptions, type ModalRuntimeOptions, passedParams } from "./options.ts";
import { assertPlanClean, type Plan, planSandbox } from "./plan.ts";
import { SandboxJob } from "./sandbox-job.ts";
import { carryFiles, checkSecrets, type JobSecrets } from "./secrets.ts";
import { followShim, type ShimGuard } from "./shim-guard.ts";
import { abortedError, type Upload, uploadAll } from "./upload.ts";

/** How long a call to Modal may wait where the server asks to call again later. */
const throttleMs = 60_000;
/** How long a sandbox that is throttled is asked for again. */
const createMs = 5 * 60_000;
/** Where a job finds its private files: in memory. */
const secretFolder = "/dev/shm/nopeek";

/**
 * Runs jobs in sandboxes of Modal: the same launch as locally, on another machine.
 *
 * Values are sent in the fields that Modal has for them: inline, or for sandboxes with a GPU in one
 * stored secret that jobs with the same values share. `modal://` references are attached by name and
 * never read. Everything is checked before the first request. A sandbox always has a time limit, and
 * tags by which `nopeek doctor` finds it if this process dies.
 *
 * @throws SecretError `DECLARATION_INVALID` for a wrong option. Starting throws that too, and
 *   `PROVIDER_MISSING`, `ENDPOINT_REFUSED`, `COMMAND_HOLDS_SECRET`, `TEXT_HOLDS_SECRET`,
 *   `SECRET_NOT_ATTACHABLE`, `SECRET_UNAUTHENTICATED`, `SECRET_ACCESS_DENIED`, `SECRET_THROTTLED`,
 *   `SECRET_UNREACHABLE`, `SECRET_ABORTED`, `LAUNCH_FAILED`.
 *
 * @example
 * const on = modalRuntime({ app: "train", image: "python:3.12-slim", gpu: "A100", timeoutMs: 8 * 3_600_000 });
 * await launch({ on, command: ["python", "train.py"], code: { dir: "." }, secrets, from });
 */
export function modalRuntime(given: ModalRuntimeOptions): Runtime {
  const options = checkOptions(given);
  const source =
    options.client === undefined
      ? ownClient(throttleMs, [launchLimits(), modalGuard()])
      : givenClient(options.client);
  const launcher = new Launcher(options, source);
  return {
    name: "modal",
    attaches: ["modal"],
    hasOwnEnvironment: true,
    ownVariables: ["MODAL_*"],
    start: (job) => launcher.start(job),
  };
}

/** What every job of a runtime shares. */
interface Base {
  readonly app: AppLike;
  readonly image: ImageLike;
}

/** What a sandbox is made of, looked up. */
interface Params {
  readonly plan: Plan;
  readonly entries: JobSecrets["entries"];
  /** The one with values, if there is one, is the last. */
  readonly secrets: unknown[];
  readonly mounts: object;
}

/** A job with or without a guard inside the container. */
interface Guarded {
  readonly secrets: JobSecrets;
  readonly wrap: (command: readonly string[], plain: readonly string[]) => readonly string[];
  readonly guard: ShimGuard | undefined;
}

class Launcher {
  readonly #options: ModalRuntimeOptions;
  readonly #source: ClientSource;
  readonly #bundles = new SecretBundles();
  /** One for all jobs: with one for each, every job would need a stored bundle of its own. */
  #shimKey: Secret | undefined;
  #base: Promise<Base> | undefined;
  readonly #state: { hasLooked: boolean } = { hasLooked: false };

  constructor(options: ModalRuntimeOptions, source: ClientSource) {
    this.#options = options;
    this.#source = source;
  }

  async start(job: Job): Promise<RunningJob> {
    const { secrets, wrap, guard } = this.#guarded(job, checkSecrets(job));
    checkModalMounts(job.mounts, job.code?.to);
    const client = (await this.#source.get()) as LaunchClient;
    const code = job.code === undefined ? null : await readCode(job.code);
    tellOf(code, job);
    const uploads = uploadsOf(job, code, secrets);
    const { gpu, execScoped = false } = this.#options;
    const plan = planSandbox(job, {
      options: this.#options,
      takesVariables: execScoped || (gpu === undefined && client.profile.sandboxV2 !== false),
      variables: Object.fromEntries(
        secrets.files.map(({ name }) => [name, `${secretFolder}/${name}`]),
      ),
      isGated: uploads.length > 0 && !execScoped,
      wrap,
    });
    assertPlanClean(plan, job, job.code);
    if (job.signal?.aborted === true) throw abortedError();
    const base = await this.#prepared(client, plan);
    this.#lookForLeftovers(client, base.app, job);
    const params = await this.#params(client, job, plan, secrets);
    const startedAt = performance.now();
    const sandbox = await this.#create(client, base, job, params);
    try {
      const command = await this.#begin(sandbox, job, plan, params, uploads);
      return new SandboxJob({
        sandbox,
        process: command,
        reopen: () => client.sandboxes.fromId(sandbox.sandboxId),
        timeoutMs: this.#options.timeoutMs,
        startedAt,
        onNotice: (notice) => job.onNotice?.(notice),
        guard,
      });
    } catch (error) {
      await endSandbox(sandbox).catch(() => undefined);
      throw launchFailure(error, "the sandbox");
    }
  }

  /** Puts the guard inside the container around a job that has something to mask. */
  #guarded(job: Job, checked: JobSecrets): Guarded {
    const { entries, files, named: attached } = checked;
    const hasSecrets = files.length > 0 || attached.length > 0 || Object.keys(entries).length > 0;
    const mode = this.#options.shim ?? (attached.length > 0 ? "required" : "auto");
    if (mode === "off" || !hasSecrets) {
      return { secrets: checked, wrap: (command) => command, guard: undefined };
    }
    this.#shimKey ??= newShimKey();
    const { secrets, carried } = carryFiles(checked);
    const known = Object.keys(secrets.entries);
    return {
      secrets: {
        ...secrets,
        entries: { ...secrets.entries, [shimKeyVariable]: this.#shimKey.reveal() },
      },
      wrap: (command, plain) =>
        wrapCommand({
          command,
          declared: [...known, ...attached.flatMap(({ keys }) => keys)],
          // What was resolved here has passed the check for weak values, or may be weak.
          allowWeak: known,
          // Only an attached secret, which comes whole, may bring what nobody declared.
          keep: attached.length > 0 ? plain : [...plain, "*"],
          files: carried,
          runId: job.runId,
          hold: job.hold,
          fallback: mode === "auto" ? "run" : "refuse",
        }),
      guard: followShim(job, this.#shimKey),
    };
  }

  /** App and image, looked up and built once. */
  #prepared(client: LaunchClient, plan: Plan): Promise<Base> {
    if (this.#base === undefined) {
      const made = this.#prepare(client, plan);
      this.#base = made;
      made.catch(() => {
        if (this.#base === made) this.#base = undefined;
      });
    }
    return this.#base;
  }

  async #prepare(client: LaunchClient, { image: wanted }: Plan): Promise<Base> {
    const { app: name } = this.#options;
    const app = await named(`the app ${name}`, () =>
      client.apps.fromName(name, { ...this.#where(), createIfMissing: true }),
    );
    const image = await named("the image", async () => {
      const from = /^im-/.test(wanted.from)
        ? await client.images.fromId(wanted.from)
        : client.images.fromRegistry(wanted.from);
      const commands = wanted.commands ?? [];
      return await (commands.length > 0 ? from.dockerfileCommands([...commands]) : from).build(app);
    });
    return { app, image };
  }

  #where(): { environment?: string } {
    const { environment } = this.#options;
    return environment === undefined ? {} : { environment };
  }

  async #params(
    client: LaunchClient,
    job: Job,
    plan: Plan,
    { entries, named: attached }: JobSecrets,
  ) {
    const { environment, createVolumes = false } = this.#options;
    const secrets = await Promise.all(
      attached.map(({ name, keys, environment: own }) =>
        named(`the secret ${name}`, () =>
          client.secrets.fromName(name, {
            ...(own === undefined ? this.#where() : { environment: own }),
            requiredKeys: [...keys],
          }),
        ),
      ),
    );
    if (Object.keys(entries).length > 0) {
      secrets.push(await this.#bundles.get(client, entries, environment));
    }
    const mounts = await named("a mount", () =>
      mountParams(client, job.mounts, { environment, createIfMissing: createVolumes }),
    );
    return { plan, entries, secrets, mounts };
  }

  async #create(
    client: LaunchClient,
    { app, image }: Base,
    job: Job,
    { plan, entries, secrets, mounts }: Params,
  ): Promise<SandboxLike> {
    const { execScoped = false, environment } = this.#options;
    const { command, env, workdir, name, tags } = plan;
    const params = {
      ...passedParams(this.#options),
      ...mounts,
      tags: { ...tags },
      ...(workdir !== undefined && { workdir }),
      ...(name !== undefined && { name }),
      ...(!execScoped && { command: [...command], secrets, env: { ...env } }),
    };
    const begun = performance.now();
    for (let pauseMs = 500, hasRenewed = false; ; pauseMs = Math.min(pauseMs * 2, 15_000)) {
      try {
        return await createOrAbort(client, app, job, () =>
          client.sandboxes.create(app, image, params),
        );
      } catch (error) {
        const status = statusOf(error);
        if (job.signal?.aborted === true) throw abortedError();
        const isForgotten = status === 5 && !hasRenewed && secrets.length > 0 && !execScoped;
        if (isForgotten && Object.keys(entries).length > 0) {
          // Modal keeps a secret without a name for a while only.
          hasRenewed = true;
          this.#bundles.forget(entries, environment);
          secrets[secrets.length - 1] = await this.#bundles.get(client, entries, environment);
          continue;
        }
        if (status !== 8 || performance.now() - begun > createMs) {
          // It may have been made although the answer was lost.
          if (isTransient(error)) await endRun(client, app.appId, job.runId).catch(() => undefined);
          throw launchFailure(error, "the sandbox");
        }
      }
      // Many jobs that are throttled at once must not come back at once.
      await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal: job.signal }).catch(
        () => undefined,
      );
    }
  }

  /** Brings the files and lets the command begin. @returns The command, if it is not the sandbox's own. */
  async #begin(
    sandbox: SandboxLike,
    job: Job,
    { command, env, workdir, isGated }: Plan,
    { secrets }: { readonly secrets: readonly unknown[] },
    uploads: readonly Upload[],
  ): Promise<ProcessLike | undefined> {
    if (uploads.length > 0) await uploadAll(sandbox, uploads, job.signal);
    if (isGated) await sandbox.stdin.writeText("go\n");
    if (this.#options.execScoped !== true) {
      // The job has no input, as one of a batch.
      await sandbox.stdin.close().catch(() => undefined);
      return undefined;
    }
    const begun = await sandbox.exec([...command], {
      mode: "binary",
      secrets: [...secrets],
      env: { ...env },
      ...(workdir !== undefined && { workdir }),
    });
    await begun.stdin.close().catch(() => undefined);
    return begun;
  }

  /** Tells once of sandboxes whose launcher is gone; the job does not wait for it. */
  #lookForLeftovers(client: LaunchClient, app: AppLike, job: Job): void {
    if (this.#state.hasLooked) return;
    this.#state.hasLooked = true;
    const most = 50;
    listSandboxes(client, app, most).then(
      (found) => {
        const left = found.filter(({ isAttended }) => isAttended === false).length;
        if (left === 0) return;
        job.onNotice?.(
          `${left} sandbox${left === 1 ? "" : "es"} of launchers that are gone still run${left === 1 ? "s" : ""} in the app ${this.#options.app}; end with: nopeek doctor --end`,
        );
      },
      () => undefined,
    );
  }
}

/** Runs a step of the start; what it throws is safe to print. */
async function named<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw launchFailure(error, where);
  }
}

/** A creation that is given up may take effect all the same: then the sandbox is ended. */
async function createOrAbort(
  client: LaunchClient,
  app: AppLike,
  job: Job,
  create: () => Promise<SandboxLike>,
): Promise<SandboxLike> {
  const { signal, runId } = job;
  const made = withSignal(signal, create);
  if (signal === undefined) return made;
  let isGivenUp = false;
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = () => {
      isGivenUp = true;
      reject(abortedError());
    };
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    made.then(
      () => signal.removeEventListener("abort", giveUp),
      () => signal.removeEventListener("abort", giveUp),
    );
  });
  try {
    return await Promise.race([made, aborted]);
  } catch (error) {
    if (!isGivenUp) throw error;
    const ended = made.then(endSandbox).catch(() => undefined);
    await Promise.race([ended, sleep(2_000)]);
    await endRun(client, app.appId, runId).catch(() => undefined);
    throw error;
  }
}

function tellOf(code: CodeFiles | null, job: Job): void {
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

function uploadsOf(job: Job, code: CodeFiles | null, { files }: JobSecrets): Upload[] {
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
