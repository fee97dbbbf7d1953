/** Sandboxes whose launcher is gone: found by their tags, and ended. */
import { setTimeout as sleep } from "node:timers/promises";
import { isLauncherAlive } from "../../../src/launch/index.ts";
import type { LaunchClient, SandboxLike } from "./client.ts";
import { isTransient } from "./failures.ts";
import { launcherTag, markTag, runTag } from "./tags.ts";

/** A sandbox of nopeek that runs. */
export interface RunningSandbox {
  readonly sandboxId: string;
  readonly runId: string;
  /** Whether its launcher still runs; `null` if it was launched on another machine. */
  readonly isAttended: boolean | null;
  end(): Promise<void>;
}

const atATime = 8;

/**
 * The sandboxes that nopeek started in an app and that still run.
 *
 * @param limit - Looks at no more than so many.
 */
export async function listSandboxes(
  client: LaunchClient,
  where: { readonly appId: string },
  limit = Number.POSITIVE_INFINITY,
): Promise<RunningSandbox[]> {
  const found: SandboxLike[] = [];
  for await (const sandbox of client.sandboxes.list({ appId: where.appId, tags: markTag })) {
    if (found.length >= limit) break;
    found.push(sandbox);
  }
  const listed: RunningSandbox[] = [];
  for (let from = 0; from < found.length; from += atATime) {
    const part = await Promise.all(found.slice(from, from + atATime).map(describe));
    listed.push(...part.filter((one) => one !== null));
  }
  return listed;
}

async function describe(sandbox: SandboxLike): Promise<RunningSandbox | null> {
  let tags: Readonly<Record<string, string | undefined>>;
  try {
    tags = await sandbox.getTags();
  } catch (error) {
    if (isTransient(error)) throw error;
    // It ended meanwhile.
    return null;
  }
  return {
    sandboxId: sandbox.sandboxId,
    runId: tags[runTag] ?? "",
    isAttended: isLauncherAlive(tags[launcherTag] ?? ""),
    end: () => endSandbox(sandbox),
  };
}

/** How long a sandbox may take to be gone after it was told to end. */
const goneMs = 10_000;

/** Ends a sandbox, and waits until it is gone. */
export async function endSandbox(sandbox: SandboxLike): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await sandbox.terminate();
      break;
    } catch (error) {
      if (attempt === 3 || !isTransient(error)) throw error;
    }
  }
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([
    sandbox.wait(),
    sleep(goneMs, undefined, { signal }).catch(() => undefined),
  ]).finally(() => waiting.abort());
  sandbox.detach();
}

/** Ends what a start that failed or was given up may have left: known only by its run. */
export async function endRun(client: LaunchClient, appId: string, runId: string): Promise<void> {
  for await (const sandbox of client.sandboxes.list({ appId, tags: { [runTag]: runId } })) {
    await endSandbox(sandbox);
  }
}

/** So many are looked at when a launch looks. */
const looksAt = 50;

/** Tells of sandboxes whose launcher is gone; nobody waits for it. */
export function tellOfLeftovers(
  client: LaunchClient,
  app: { readonly appId: string },
  name: string,
  onNotice: (notice: string) => void,
): void {
  listSandboxes(client, app, looksAt).then(
    (found) => {
      const left = found.filter(({ isAttended }) => isAttended === false).length;
      if (left === 0) return;
      onNotice(
        `${left} sandbox${left === 1 ? "" : "es"} of launchers that are gone still run${left === 1 ? "s" : ""} in the app ${name}; end with: nopeek doctor --end`,
      );
    },
    () => undefined,
  );
}
