/**
 * The stage operations of the cloud adapters over the loopback servers' own stores, without a
 * network in between: every call of the service is one step that the explorer may interleave.
 */
import type { Reference, StageControl } from "nopeek";
import { parseReference } from "nopeek";
import type { AwsConnections } from "../../../adapters/aws/connections.ts";
import { awsFailure } from "../../../adapters/aws/errors.ts";
import { stageControl as awsStage } from "../../../adapters/aws/stage.ts";
import type { GcpConnections } from "../../../adapters/gcp/connections.ts";
import { gcpFailure } from "../../../adapters/gcp/errors.ts";
import { stageControl as gcpStage } from "../../../adapters/gcp/stage.ts";
import { gcpTarget } from "../../../adapters/gcp/target.ts";
import { awsOperations } from "../../../adapters/testing/aws-operations.ts";
import { AwsRefusal, AwsStore } from "../../../adapters/testing/aws-store.ts";
import { type GcpRequest, gcpMethods } from "../../../adapters/testing/gcp-methods.ts";
import { GcpRefusal, GcpStore } from "../../../adapters/testing/gcp-store.ts";

/**
 * Does one call of a service; `label` tells which. What reads a version by its name is no step where
 * nobody can change the answer: to switch before it or after it is the same. A step that is not ready
 * waits for others.
 */
export type Step = <T>(label: string, call: () => T, isReady?: () => boolean) => Promise<T>;

/** A store that the explorer can look into. */
export interface ModelStore {
  readonly reference: Reference;
  /** The operations as one rotator sees them. */
  stage(step: Step): StageControl;
  /** The value of a part, read behind everybody's back. */
  value(part: "current" | "previous"): string | undefined;
  version(part: "current" | "previous" | "pending"): string | undefined;
  /** All of the state, as text. */
  dump(): string;
}

/** What makes a store behave in a wrong way, to see that it is noticed. */
export type StoreMutant = "steals-pending" | "replaces-without-comparing";

export function awsModel(value: string, mutant?: StoreMutant): ModelStore {
  const store = new AwsStore("us-east-1");
  const { secret } = store.create("s", "00000000-0000-4000-8000-000000000000", {
    SecretString: value,
  });
  const labels = { current: "AWSCURRENT", previous: "AWSPREVIOUS", pending: "AWSPENDING" };
  const holder = (part: keyof typeof labels) =>
    [...secret.versions.values()].find((version) => version.labels.has(labels[part]));
  return {
    reference: parseReference("aws-sm://s"),
    stage(step) {
      const send = async ({
        operation,
        input,
      }: {
        operation: string;
        input: Record<string, unknown>;
      }) => {
        const call = () => perform(store, operation, changed(operation, input, mutant));
        return operation === "GetSecretValue" ? call() : step(operation, call);
      };
      const connections = {
        async call(
          target: { reference: Reference },
          operation: string,
          _: unknown,
          work: (call: object) => Promise<unknown>,
        ) {
          try {
            return await work({ sdk: commands, client: { send }, sending: {} });
          } catch (error) {
            throw awsFailure(error, target.reference.text, operation);
          }
        },
      };
      return awsStage(connections as unknown as AwsConnections);
    },
    value: (part) => holder(part)?.SecretString,
    version: (part) => holder(part)?.id,
    dump: () =>
      JSON.stringify(
        [...secret.versions].map(([id, version]) => [
          id,
          [...version.labels].sort(),
          version.SecretString,
        ]),
      ),
  };
}

function perform(store: AwsStore, operation: string, input: Record<string, unknown>): object {
  try {
    const done: object & { CreatedDate?: number } = awsOperations[operation]?.(store, input) ?? {};
    const { CreatedDate, ...answer } = done;
    return { ...answer, CreatedDate: CreatedDate && new Date(CreatedDate * 1000) };
  } catch (error) {
    if (error instanceof AwsRefusal) error.name = error.type;
    throw error;
  }
}

/** Stands for the client's command classes: name and input are all that counts here. */
class Command {
  readonly operation: string;
  readonly input: object;
  constructor(operation: string, input: object) {
    this.operation = operation;
    this.input = input;
  }
}

const commandOf = (operation: string) =>
  class extends Command {
    constructor(input: object) {
      super(operation, input);
    }
  };

const commands = Object.fromEntries(
  Object.keys(awsOperations).map((name) => [`${name}Command`, commandOf(name)]),
);

function changed(
  operation: string,
  input: Record<string, unknown>,
  mutant: StoreMutant | undefined,
) {
  const stages = input["VersionStages"];
  if (mutant === "steals-pending" && operation === "PutSecretValue" && Array.isArray(stages)) {
    return { ...input, VersionStages: ["AWSPENDING", ...stages] };
  }
  return input;
}

export function gcpModel(value: string): ModelStore {
  const store = new GcpStore();
  const secret = store.create("projects/p", "s", {});
  const { name } = secret.meta;
  store.add(name, { data: Buffer.from(value) });
  secret.meta.versionAliases = { current: "1" };
  const dataOf = (version: string | undefined) =>
    version === undefined ? undefined : secret.versions[Number(version) - 1]?.data.toString();
  return {
    reference: parseReference("gcp-sm://p/s"),
    stage(step) {
      const connections = {
        targetOf: (reference: Reference) =>
          gcpTarget(reference, { project: undefined, location: undefined }),
        async call(method: string, target: { reference: Reference }, request: object) {
          const operation = method.charAt(0).toUpperCase() + method.slice(1);
          try {
            const answer = await step(operation, () =>
              structuredClone(
                gcpMethods[operation]?.(store, structuredClone(request) as GcpRequest),
              ),
            );
            return (answer as { versions?: unknown }).versions ?? answer;
          } catch (error) {
            if (!(error instanceof GcpRefusal)) throw error;
            const refusal = Object.assign(new Error(error.message), { code: error.status });
            throw gcpFailure(refusal, target.reference.text, method as "getSecret");
          }
        },
      };
      return gcpStage(connections as unknown as GcpConnections);
    },
    value: (part) => dataOf(secret.meta.versionAliases[part]),
    version: (part) => secret.meta.versionAliases[part],
    dump: () =>
      JSON.stringify([
        secret.versions.map(({ meta, data }) => [meta.state, data.toString()]),
        secret.meta.versionAliases,
        secret.meta.annotations,
        secret.meta.etag,
      ]),
  };
}

/** A stage whose place is taken over whoever holds it. */
export function replacingBlindly(stage: StageControl): StageControl {
  return {
    ...stage,
    async replace(reference, _, to, context) {
      const { pending } = await stage.stages(reference, context);
      if (pending === undefined) return false;
      return stage.replace(reference, pending, to, context);
    },
  };
}
