import type { GetSecretValueResponse, SecretValueEntry } from "@aws-sdk/client-secrets-manager";
import {
  type CallContext,
  type ReadOutcome,
  type Reference,
  SecretError,
  type SecretErrorCode,
  type StoredValue,
  selectField,
} from "../../src/secrets/index.ts";
import { mapLimited } from "../shared/index.ts";
import type { AwsConnections, Call } from "./connections.ts";
import { awsCode, awsFailureByCode } from "./errors.ts";
import { type AwsTarget, awsTarget, isPlain } from "./target.ts";

/** What AWS takes in one batch. */
const maxBatch = 20;
const maxSingleReads = 10;
const maxPages = 20;

/** With these a batch as a whole fails as its single reads would: trying them only adds load. */
const failsAll = new Set<SecretErrorCode>([
  "ENDPOINT_REFUSED",
  "PROVIDER_MISSING",
  "SECRET_ABORTED",
  "SECRET_QUOTA_EXCEEDED",
  "SECRET_THROTTLED",
  "SECRET_UNAUTHENTICATED",
  "SECRET_UNREACHABLE",
]);

/** Targets of one client that are the same version of the same secret. */
type Group = readonly [AwsTarget, ...AwsTarget[]];

/** Reads references with as few calls as AWS allows. */
export async function readReferences(
  connections: AwsConnections,
  references: readonly Reference[],
  context: CallContext,
): Promise<readonly ReadOutcome[]> {
  const [first] = references;
  if (first === undefined || references.length > 1) {
    return readMany(connections, references, context);
  }
  // The usual case, without the grouping.
  try {
    const target = awsTarget(first);
    return [selectKey(target, await readSingle(connections, target, context))];
  } catch (error) {
    return [asSecretError(error)];
  }
}

async function readMany(
  connections: AwsConnections,
  references: readonly Reference[],
  context: CallContext,
): Promise<readonly ReadOutcome[]> {
  const outcomes = new Map<Reference, ReadOutcome>();
  const targets: AwsTarget[] = [];
  for (const reference of references) {
    try {
      targets.push(awsTarget(reference));
    } catch (error) {
      outcomes.set(reference, asSecretError(error));
    }
  }
  const groups = groupBy(targets, (target) =>
    JSON.stringify([connections.keyOf(target), target.id, partKey(target)]),
  );
  const batches = groupBy(
    groups.filter(([first]) => isPlain(first)),
    ([first]) => connections.keyOf(first),
  ).flatMap((sameClient) => chunks(sameClient, maxBatch));
  const singles = groups.filter(([first]) => !isPlain(first));

  const settle = (group: Group, outcome: ReadOutcome) => {
    for (const target of group) outcomes.set(target.reference, selectKey(target, outcome));
  };
  const readSingles = (some: readonly Group[]) =>
    mapLimited(some, maxSingleReads, async (group) => {
      settle(group, await readSingle(connections, group[0], context).catch(asSecretError));
    });
  await Promise.all([
    readSingles(singles),
    ...batches.map(async (batch) =>
      readSingles(await readBatch(connections, batch, context, settle)),
    ),
  ]);
  return references.map((reference) => outcomes.get(reference) ?? null);
}

/** Reads one version. */
export async function readSingle(
  connections: AwsConnections,
  target: AwsTarget,
  context: CallContext,
): Promise<StoredValue | null> {
  try {
    const found = await connections.call(target, "GetSecretValue", context, (call) =>
      call.client.send(
        new call.sdk.GetSecretValueCommand({
          SecretId: target.id,
          VersionId: target.version,
          VersionStage: target.stage,
        }),
        call.sending,
      ),
    );
    return storedValue(target.reference, found);
  } catch (error) {
    if (error instanceof SecretError && error.code === "SECRET_NOT_FOUND") return null;
    throw error;
  }
}

/** Reads a batch, and gives back what has to be read one by one. */
async function readBatch(
  connections: AwsConnections,
  batch: readonly Group[],
  context: CallContext,
  settle: (group: Group, outcome: ReadOutcome) => void,
): Promise<readonly Group[]> {
  const [first] = batch;
  if (first === undefined || batch.length === 1) return batch;
  let answer: BatchAnswer | null;
  try {
    answer = await connections.call(first[0], "BatchGetSecretValue", context, async (call) => {
      if (call.connection.batchRefused) return null;
      try {
        return await sendBatch(
          call,
          batch.map(([{ id }]) => id),
        );
      } catch (error) {
        if (awsCode(error) === "SECRET_ACCESS_DENIED") call.connection.batchRefused = true;
        throw error;
      }
    });
  } catch (error) {
    const failure = asSecretError(error);
    if (!failsAll.has(failure.code)) return batch;
    for (const group of batch) settle(group, renamed(failure, first[0], group[0]));
    return [];
  }
  if (answer === null) return batch;
  const { values, failures } = answer;
  return batch.filter((group) => {
    const [{ id, reference }] = group;
    const value = values.find((entry) => isNamed(entry, id));
    const failure = failures.get(id);
    if (value !== undefined)
      settle(
        group,
        attempt(() => storedValue(reference, value)),
      );
    else if (failure === "SECRET_NOT_FOUND") settle(group, null);
    else if (failure !== undefined) {
      settle(group, awsFailureByCode(failure, reference.text, "GetSecretValue"));
    }
    return value === undefined && failure === undefined;
  });
}

interface BatchAnswer {
  readonly values: readonly SecretValueEntry[];
  readonly failures: ReadonlyMap<string, SecretErrorCode>;
}

async function sendBatch(call: Call, ids: string[]): Promise<BatchAnswer> {
  const values: SecretValueEntry[] = [];
  const failures = new Map<string, SecretErrorCode>();
  let NextToken: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await call.client.send(
      new call.sdk.BatchGetSecretValueCommand({ SecretIdList: ids, NextToken }),
      call.sending,
    );
    values.push(...(answer.SecretValues ?? []));
    for (const { SecretId, ErrorCode, Message } of answer.Errors ?? []) {
      if (SecretId) failures.set(SecretId, awsCode({ name: ErrorCode, message: Message }));
    }
    NextToken = answer.NextToken;
    if (NextToken === undefined) break;
  }
  return { values, failures };
}

/** An id is a name, an ARN, or an ARN without its hyphen and six random characters. */
function isNamed({ Name, ARN }: SecretValueEntry, id: string): boolean {
  return Name === id || ARN === id || ARN?.slice(0, -7) === id;
}

function storedValue(
  { text }: Reference,
  { SecretString, SecretBinary, VersionId, CreatedDate }: GetSecretValueResponse,
): StoredValue {
  const value = SecretString ?? SecretBinary;
  if (value === undefined) {
    throw new SecretError("SECRET_MALFORMED", `${text}: AWS answered without a value`);
  }
  return { value, version: VersionId, createdAtMs: CreatedDate?.getTime() };
}

function selectKey({ jsonKey, reference }: AwsTarget, outcome: ReadOutcome): ReadOutcome {
  if (jsonKey === undefined || outcome === null || outcome instanceof SecretError) return outcome;
  try {
    const value = selectField(outcome.value, jsonKey);
    return value === null ? null : { ...outcome, value };
  } catch (error) {
    const { code, message } = asSecretError(error);
    return new SecretError(code, `${reference.text}: ${message}`);
  }
}

function partKey(target: AwsTarget): string {
  return isPlain(target) ? "" : JSON.stringify([target.stage, target.version]);
}

/** The failure of a batch, told of another one of its references. */
function renamed({ code, message }: SecretError, from: AwsTarget, to: AwsTarget): SecretError {
  return new SecretError(
    code,
    message.replace(from.reference.text, () => to.reference.text),
  );
}

/** Never lets anything but our own error out. */
function asSecretError(error: unknown): SecretError {
  if (error instanceof SecretError) return error;
  return new SecretError("SECRET_UNREACHABLE", "the AWS adapter failed");
}

function attempt(make: () => StoredValue): ReadOutcome {
  try {
    return make();
  } catch (error) {
    return asSecretError(error);
  }
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): [Item, ...Item[]][] {
  const groups = new Map<string, [Item, ...Item[]]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
