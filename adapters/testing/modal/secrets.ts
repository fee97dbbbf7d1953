import { randomBytes } from "node:crypto";
import type { Environments } from "./environments.ts";
import { handler, RpcError, type ServicePart } from "./rpc.ts";
import { secretCalls, secretMessages } from "./secrets-protocol.ts";

/** A secret as the server keeps it. `name` is undefined for an ephemeral one. */
interface StoredModalSecret {
  readonly id: string;
  readonly name: string | undefined;
  readonly environment: string;
  readonly createdAtMs: number;
  values: ReadonlyMap<string, string>;
}

/** The named secrets of the workspace, and the ephemeral ones. */
export interface SecretStore {
  readonly all: ReadonlyMap<string, StoredModalSecret>;
  /** Sets all of a named secret, as somebody else would. */
  seed(name: string, values: Readonly<Record<string, string>>, environment?: string): void;
  find(name: string, environment?: string): StoredModalSecret | undefined;
  readonly part: ServicePart;
}

/** How `SecretGetOrCreate` treats what exists: the numbers of `ObjectCreationType`. */
const creation = {
  lookup: 0,
  createIfMissing: 1,
  failIfExists: 2,
  overwrite: 3,
  ownedByApp: 4,
  ephemeral: 5,
} as const;

interface GetOrCreate {
  readonly deploymentName: string;
  readonly environmentName: string;
  readonly objectCreationType: number;
  readonly envDict: Readonly<Record<string, string>>;
  readonly requiredKeys?: readonly string[];
}

interface Update {
  readonly secretId: string;
  readonly updates?: readonly { readonly key: string; readonly value?: string }[];
}

const keyPattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const namePattern = /^[a-zA-Z0-9\-_.]{1,64}$/;

export function createSecretStore(environments: Environments): SecretStore {
  const all = new Map<string, StoredModalSecret>();

  const find = (name: string, environment = "") => {
    const inside = environments.nameOf(environment);
    return [...all.values()].find(
      (secret) => secret.name === name && secret.environment === inside,
    );
  };

  function byId(id: string): StoredModalSecret {
    const secret = all.get(id);
    if (secret === undefined) throw new RpcError("NOT_FOUND", `Secret '${id}' not found`);
    return secret;
  }

  function create(name: string | undefined, environment: string, values: GetOrCreate["envDict"]) {
    const secret: StoredModalSecret = {
      id: `st-${randomBytes(11).toString("hex")}`,
      name,
      environment: environments.nameOf(environment),
      createdAtMs: Date.now(),
      values: checked(values),
    };
    all.set(secret.id, secret);
    return secret;
  }

  function getOrCreate(request: GetOrCreate): StoredModalSecret {
    const { deploymentName: name, environmentName: environment, envDict } = request;
    const type = request.objectCreationType;
    if (type === creation.ephemeral || type === creation.ownedByApp) {
      return create(undefined, environment, envDict);
    }
    if (!namePattern.test(name)) throw new RpcError("INVALID_ARGUMENT", "Invalid Secret name");
    const existing = find(name, environment);
    switch (type) {
      case creation.lookup:
        return lookedUp(existing, request);
      case creation.createIfMissing:
        return existing ?? create(name, environment, envDict);
      case creation.failIfExists:
        if (existing === undefined) return create(name, environment, envDict);
        throw new RpcError("ALREADY_EXISTS", `Secret '${name}' already exists`);
      case creation.overwrite:
        if (existing === undefined) return create(name, environment, envDict);
        existing.values = checked(envDict);
        return existing;
      default:
        throw new RpcError("INVALID_ARGUMENT", "Unknown object creation type");
    }
  }

  function update({ secretId, updates = [] }: Update): object {
    const secret = byId(secretId);
    const values = new Map(secret.values);
    for (const { key, value } of updates) {
      if (value === undefined) values.delete(key);
      else for (const [name, text] of checked({ [key]: value })) values.set(name, text);
    }
    secret.values = values;
    return {};
  }

  return {
    all,
    find,
    seed(name, values, environment = "") {
      const existing = find(name, environment);
      if (existing === undefined) create(name, environment, values);
      else existing.values = checked(values);
    },
    part: {
      messages: secretMessages,
      calls: secretCalls,
      handlers: {
        SecretGetOrCreate: handler<GetOrCreate>((request) => {
          const secret = getOrCreate(request);
          return { secretId: secret.id, metadata: metadataOf(secret) };
        }),
        SecretUpdate: handler<Update>((request) => ({ ...update(request) })),
        SecretDelete: handler<{ secretId: string }>(({ secretId }) => {
          all.delete(byId(secretId).id);
          return {};
        }),
        SecretGetInfo: handler<{ secretId: string }>(({ secretId }) => ({
          metadata: metadataOf(byId(secretId)),
        })),
        SecretList: handler<{ environmentName: string }>(({ environmentName }) => {
          const environment = environments.nameOf(environmentName);
          const items = [...all.values()]
            .filter((secret) => secret.name !== undefined && secret.environment === environment)
            .map((secret) => ({
              label: secret.name,
              secretId: secret.id,
              createdAt: secret.createdAtMs / 1000,
              environmentName: environment,
              metadata: metadataOf(secret),
            }));
          return { items, environmentName: environment };
        }),
      },
    },
  };
}

function lookedUp(
  secret: StoredModalSecret | undefined,
  { deploymentName, environmentName, requiredKeys = [] }: GetOrCreate,
): StoredModalSecret {
  if (secret === undefined) {
    const where = environmentName === "" ? "main" : environmentName;
    throw new RpcError(
      "NOT_FOUND",
      `Secret '${deploymentName}' not found in environment '${where}'.`,
    );
  }
  const missing = requiredKeys.filter((key) => !secret.values.has(key));
  if (missing.length === 0) return secret;
  throw new RpcError("FAILED_PRECONDITION", `Secret is missing key(s): ${missing.join(", ")}`);
}

function checked(values: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  for (const key of Object.keys(values)) {
    if (keyPattern.test(key)) continue;
    throw new RpcError("INVALID_ARGUMENT", "A Secret key is invalid for environment variables");
  }
  return new Map(Object.entries(values));
}

function metadataOf({ name, values, environment, createdAtMs }: StoredModalSecret): object {
  return {
    name: name ?? "",
    keys: [...values.keys()],
    environmentName: environment,
    creationInfo: { createdAt: createdAtMs / 1000, createdBy: "tester" },
  };
}
