import type { Job, RunningJob, Runtime } from "../../../src/launch/index.ts";
import { type ClientSource, givenClient, ownClient } from "../client.ts";
import { SecretBundles } from "./bundles.ts";
import type { AppLike, LaunchClient, ProcessLike, SandboxLike } from "./client.ts";
import { readCode } from "./code-files.ts";
import { type Base, createSandbox } from "./create-sandbox.ts";
import { launchFailure, named } from "./failures.ts";
import { launchLimits, modalGuard } from "./guard.ts";
import { Guards } from "./guarded-job.ts";
import { fileVariables, tellOfCode, uploadsOf } from "./job-files.ts";
import { endSandbox, tellOfLeftovers } from "./leftovers.ts";
import { checkModalMounts, mountParams } from "./mounts.ts";
import { checkOptions, type ModalRuntimeOptions, passedParams } from "./options.ts";
import { assertPlanClean, type Plan, planSandbox } from "./plan.ts";
import { SandboxJob } from "./sandbox-job.ts";
import { checkSecrets, type JobSecrets } from "./secrets.ts";
import { abortedError, type Upload, uploadAll } from "./upload.ts";

/** How long a call to Modal may wait where the server asks to call again later. */
const throttleMs = 60_000;

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

class Launcher {
  readonly #options: ModalRuntimeOptions;
  readonly #source: ClientSource;
  readonly #bundles = new SecretBundles();
  readonly #guards: Guards;
  #base: Promise<Base> | undefined;
  readonly #state: { hasLooked: boolean } = { hasLooked: false };

  constructor(options: ModalRuntimeOptions, source: ClientSource) {
    this.#options = options;
    this.#source = source;
    this.#guards = new Guards(options.shim);
  }

  async start(job: Job): Promise<RunningJob> {
    const { secrets, wrap, guard } = this.#guards.around(job, checkSecrets(job));
    checkModalMounts(job.mounts, job.code?.to);
    const client = (await this.#source.get()) as LaunchClient;
    const code = job.code === undefined ? null : await readCode(job.code);
    tellOfCode(code, job);
    const uploads = uploadsOf(job, code, secrets);
    const { gpu, execScoped = false } = this.#options;
    const plan = planSandbox(job, {
      options: this.#options,
      takesVariables: execScoped || (gpu === undefined && client.profile.sandboxV2 !== false),
      variables: fileVariables(secrets),
      isGated: uploads.length > 0 && !execScoped,
      wrap,
    });
    assertPlanClean(plan, job, job.code);
    if (job.signal?.aborted === true) throw abortedError();
    const base = await this.#prepared(client, plan);
    this.#lookForLeftovers(client, base.app, job);
    const startedAt = performance.now();
    const { sandbox, handles } = await this.#create(client, base, job, plan, secrets);
    try {
      const command = await this.#begin(sandbox, job, plan, handles, uploads);
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

  /** The secrets as the client takes them; the one with values, if there is one, is the last. */
  async #handles(client: LaunchClient, { entries, named: attached }: JobSecrets) {
    const handles: unknown[] = await Promise.all(
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
      handles.push(await this.#bundles.get(client, entries, this.#options.environment));
    }
    return handles;
  }

  /** @returns The sandbox, and the secrets for a command in it. */
  async #create(client: LaunchClient, base: Base, job: Job, plan: Plan, secrets: JobSecrets) {
    const { execScoped = false, environment, createVolumes = false } = this.#options;
    const { command, env, workdir, name, tags } = plan;
    const { entries } = secrets;
    const handles = await this.#handles(client, secrets);
    const mounts = await named("a mount", () =>
      mountParams(client, job.mounts, { environment, createIfMissing: createVolumes }),
    );
    const params = () => ({
      ...passedParams(this.#options),
      ...mounts,
      tags: { ...tags },
      ...(workdir !== undefined && { workdir }),
      ...(name !== undefined && { name }),
      ...(!execScoped && { command: [...command], secrets: handles, env: { ...env } }),
    });
    const renew = async () => {
      if (execScoped || Object.keys(entries).length === 0) return false;
      this.#bundles.forget(entries, environment);
      handles[handles.length - 1] = await this.#bundles.get(client, entries, environment);
      return true;
    };
    return { sandbox: await createSandbox(client, base, job, { params, renew }), handles };
  }

  /** Brings the files and lets the command begin. @returns The command, if it is not the sandbox's own. */
  async #begin(
    sandbox: SandboxLike,
    job: Job,
    { command, env, workdir, isGated }: Plan,
    handles: readonly unknown[],
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
      secrets: [...handles],
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
    tellOfLeftovers(client, app, this.#options.app, (notice) => job.onNotice?.(notice));
  }
}
