/**
 * The only place that uses what Modal's client does not promise: the RPCs behind `cpClient`. The
 * client has no public method that creates or changes a named secret. So the version is checked, and
 * a test compares the field numbers with the installed client.
 */
import type { Entries } from "./entries.ts";
import type { Target } from "./target.ts";

/** Creates and changes named secrets. Errors are the client's own. */
export interface SecretRpc {
  /** The id of a named secret. */
  lookUp(target: Target): Promise<string>;
  /** Creates a named secret; refused with ALREADY_EXISTS if there is one. */
  create(target: Target, entries: Entries): Promise<void>;
  /** Creates a named secret, or replaces all that it holds. */
  replace(target: Target, entries: Entries): Promise<void>;
  /** Sets keys of a secret, and removes those whose value is `null`. */
  update(
    id: string,
    changes: readonly (readonly [key: string, value: string | null])[],
  ): Promise<void>;
}

/** Numbers of `ObjectCreationType`; a test holds them against the client. */
export const creation = { lookup: 0, failIfExists: 2, overwrite: 3 } as const;

const knownVersions = /^0\.11\.\d+$/;

type Call = (request: object, options: { signal: AbortSignal }) => Promise<unknown>;

interface Internals {
  readonly cpClient: { readonly secretGetOrCreate: Call; readonly secretUpdate: Call };
  environmentName(environment: string | undefined): string;
  version(): string;
}

/** The RPCs of a client, bound to a signal; `null` if this client is not known to have them. */
export function secretRpc(client: object, signal: AbortSignal): SecretRpc | null {
  if (!hasInternals(client)) return null;
  const getOrCreate = async (target: Target, objectCreationType: number, envDict: Entries) => {
    const answer = await client.cpClient.secretGetOrCreate(
      {
        deploymentName: target.name,
        environmentName: client.environmentName(target.environment),
        objectCreationType,
        envDict,
      },
      { signal },
    );
    return (answer as { secretId: string }).secretId;
  };
  return {
    lookUp: (target) => getOrCreate(target, creation.lookup, {}),
    async create(target, entries) {
      await getOrCreate(target, creation.failIfExists, entries);
    },
    async replace(target, entries) {
      await getOrCreate(target, creation.overwrite, entries);
    },
    async update(secretId, changes) {
      const updates = changes.map(([key, value]) => (value === null ? { key } : { key, value }));
      await client.cpClient.secretUpdate({ secretId, updates }, { signal });
    },
  };
}

function hasInternals(client: object): client is Internals {
  const { cpClient, environmentName, version } = client as Partial<Internals>;
  return (
    typeof cpClient?.secretGetOrCreate === "function" &&
    typeof cpClient.secretUpdate === "function" &&
    typeof environmentName === "function" &&
    typeof version === "function" &&
    knownVersions.test(version.call(client))
  );
}
