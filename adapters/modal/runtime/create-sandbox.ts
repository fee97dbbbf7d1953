import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "../../../src/launch/index.ts";
import { statusOf } from "../failures.ts";
import type { AppLike, ImageLike, LaunchClient, SandboxLike } from "./client.ts";
import { isTransient, launchFailure } from "./failures.ts";
import { withSignal } from "./guard.ts";
import { endRun, endSandbox } from "./leftovers.ts";
import { abortedError } from "./upload.ts";

/** How long a sandbox that is throttled is asked for again. */
const createMs = 5 * 60_000;

/** What the sandboxes of a runtime share. */
export interface Base {
  readonly app: AppLike;
  readonly image: ImageLike;
}

export interface CreateOptions {
  /** What the client takes; asked for at each attempt. */
  readonly params: () => object;
  /** Stores the values anew; `false` if none are stored. */
  readonly renew: () => Promise<boolean>;
}

/**
 * Creates a sandbox, and waits while Modal throttles. If it fails or is given up, nothing is left.
 *
 * @throws SecretError As `modalRuntime` says.
 */
export async function createSandbox(
  client: LaunchClient,
  { app, image }: Base,
  job: Job,
  { params, renew }: CreateOptions,
): Promise<SandboxLike> {
  const begun = performance.now();
  for (let pauseMs = 500, hasRenewed = false; ; pauseMs = Math.min(pauseMs * 2, 15_000)) {
    try {
      return await createOrAbort(client, app, job, () =>
        client.sandboxes.create(app, image, params()),
      );
    } catch (error) {
      const status = statusOf(error);
      if (job.signal?.aborted === true) throw abortedError();
      if (status === 5 && !hasRenewed && (await renew())) {
        // Modal keeps a secret without a name for a while only.
        hasRenewed = true;
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
