import { ownClient } from "../client.ts";
import { statusOf } from "../failures.ts";
import type { LaunchClient } from "./client.ts";
import { isTransient, launchFailure } from "./failures.ts";
import { launchLimits, modalGuard } from "./guard.ts";
import { listSandboxes, type RunningSandbox } from "./leftovers.ts";
import type { ModalRuntimeOptions } from "./options.ts";

/** Where to look for sandboxes. */
export type FindOptions = Pick<ModalRuntimeOptions, "client" | "environment"> & {
  /** Default: `nopeek`. */
  readonly app?: string | undefined;
};

/**
 * The sandboxes of an app that launches of nopeek started and that still run, also those whose
 * launcher is gone; `null` if the app does not exist.
 *
 * @throws SecretError `PROVIDER_MISSING`, `ENDPOINT_REFUSED`, `SECRET_UNAUTHENTICATED`,
 *   `SECRET_ACCESS_DENIED`, `SECRET_UNREACHABLE`.
 *
 * @example
 * for (const sandbox of (await findSandboxes({ app: "train" })) ?? []) {
 *   if (sandbox.isAttended === false) await sandbox.end();
 * }
 */
export async function findSandboxes(
  options: FindOptions = {},
): Promise<readonly RunningSandbox[] | null> {
  const { app: name = "nopeek", environment } = options;
  const source = ownClient(30_000, [launchLimits(), modalGuard()]);
  const client = options.client ?? ((await source.get()) as LaunchClient);
  try {
    const app = await client.apps.fromName(name, environment === undefined ? {} : { environment });
    return await listSandboxes(client, app);
  } catch (error) {
    if (statusOf(error) === 5 && !isTransient(error)) return null;
    throw launchFailure(error, `the sandboxes of the app ${name}`);
  }
}
