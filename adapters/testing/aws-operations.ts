import {
  AwsRefusal,
  type AwsSecret,
  type AwsStore,
  type AwsValue,
  type AwsVersion,
  holderOf,
  moveLabel,
  newToken,
  nowSeconds,
} from "./aws-store.ts";

/** The parameters that the operations know, as JSON has them. */
interface AwsRequest extends AwsValue {
  readonly Name?: string;
  readonly SecretId?: string;
  readonly SecretIdList?: readonly string[];
  readonly Filters?: readonly unknown[];
  readonly ClientRequestToken?: string;
  readonly VersionId?: string;
  readonly VersionStage?: string;
  readonly VersionStages?: readonly string[];
  readonly MoveToVersionId?: string;
  readonly RemoveFromVersionId?: string;
  readonly RecoveryWindowInDays?: number;
  readonly ForceDeleteWithoutRecovery?: boolean;
}

type Operation = (store: AwsStore, request: AwsRequest) => object;

const maxBatch = 20;

/** The operations of the service that this server has. */
export const awsOperations: Readonly<Record<string, Operation>> = {
  CreateSecret(store, request) {
    const { Name = "" } = request;
    if (!/^[A-Za-z0-9/_+=.@!-]{1,512}$/.test(Name)) throw invalid("Invalid name.");
    const { secret, version } = store.create(Name, tokenOf(request), request);
    return { ARN: secret.arn, Name, VersionId: version };
  },
  PutSecretValue(store, request) {
    const secret = store.find(idOf(request));
    const { VersionStages = ["AWSCURRENT"] } = request;
    const version = store.put(secret, tokenOf(request), request, VersionStages);
    return { ...nameOf(secret), VersionId: version.id, VersionStages: [...version.labels] };
  },
  GetSecretValue(store, request) {
    const secret = store.find(idOf(request));
    return shownValue(secret, chosenVersion(secret, request));
  },
  BatchGetSecretValue(store, { SecretIdList, Filters }) {
    if ((SecretIdList === undefined) === (Filters === undefined)) {
      throw invalid("You must provide either SecretIdList or Filters, but not both.");
    }
    const ids = SecretIdList ?? store.all().map(({ name }) => name);
    if (ids.length > maxBatch) {
      throw new AwsRefusal(
        "ValidationException",
        "Value at 'secretIdList' failed to satisfy constraint: Member must have length less than or equal to 20",
      );
    }
    const SecretValues: object[] = [];
    const Errors: object[] = [];
    for (const id of ids) {
      try {
        const secret = store.find(id);
        SecretValues.push(shownValue(secret, chosenVersion(secret, {})));
      } catch (error) {
        if (!(error instanceof AwsRefusal)) throw error;
        Errors.push({ SecretId: id, ErrorCode: error.type, Message: error.message });
      }
    }
    return { SecretValues, Errors };
  },
  DescribeSecret(store, request) {
    const secret = store.find(idOf(request), { deleted: true });
    const labelled = [...secret.versions.values()].filter(({ labels }) => labels.size > 0);
    return {
      ...nameOf(secret),
      CreatedDate: secret.created,
      DeletedDate: secret.deletedAt,
      VersionIdsToStages: Object.fromEntries(labelled.map(({ id, labels }) => [id, [...labels]])),
    };
  },
  UpdateSecretVersionStage(store, request) {
    const secret = store.find(idOf(request));
    updateStage(secret, request);
    return nameOf(secret);
  },
  DeleteSecret(store, request) {
    const secret = store.find(idOf(request));
    if (request.ForceDeleteWithoutRecovery === true) store.remove(secret);
    secret.deletedAt = nowSeconds() + (request.RecoveryWindowInDays ?? 30) * 86_400;
    return { ...nameOf(secret), DeletionDate: secret.deletedAt };
  },
  RestoreSecret(store, request) {
    const secret = store.find(idOf(request), { deleted: true });
    secret.deletedAt = undefined;
    return nameOf(secret);
  },
};

/** A label that a version holds moves only if that version is named as well. */
function updateStage(secret: AwsSecret, request: AwsRequest): void {
  const { VersionStage: label = "", MoveToVersionId, RemoveFromVersionId } = request;
  if (label.length < 1 || label.length > 256) throw invalid("The staging label is not valid.");
  const holder = holderOf(secret, label);
  const to = MoveToVersionId === undefined ? undefined : secret.versions.get(MoveToVersionId);
  if (MoveToVersionId !== undefined && to === undefined) throw notFound("VersionId");
  if (RemoveFromVersionId !== undefined && holder?.id !== RemoveFromVersionId) {
    throw invalid(
      `The parameter RemoveFromVersionId is invalid. Staging label ${label} is not attached to version ${RemoveFromVersionId}.`,
    );
  }
  const taken = holder !== undefined && holder !== to;
  if (to !== undefined && taken && holder.id !== RemoveFromVersionId) {
    throw invalid(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (to === undefined && label === "AWSCURRENT") {
    throw invalid("You can't remove AWSCURRENT from a version without moving it to another one.");
  }
  if (to === undefined) holder?.labels.delete(label);
  else moveLabel(secret, label, to);
}

function chosenVersion(secret: AwsSecret, { VersionId, VersionStage }: AwsRequest): AwsVersion {
  const version =
    VersionId === undefined
      ? holderOf(secret, VersionStage ?? "AWSCURRENT")
      : secret.versions.get(VersionId);
  if (version === undefined) throw notFound("value");
  if (VersionId !== undefined && VersionStage && !version.labels.has(VersionStage)) {
    throw new AwsRefusal(
      "InvalidRequestException",
      "You provided a VersionStage that is not associated to the provided VersionId.",
    );
  }
  return version;
}

function shownValue(secret: AwsSecret, version: AwsVersion): object {
  const { id, labels, created, SecretString, SecretBinary } = version;
  const shown = { SecretString, SecretBinary, VersionStages: [...labels], CreatedDate: created };
  return { ...nameOf(secret), VersionId: id, ...shown };
}

function nameOf({ arn, name }: AwsSecret): { ARN: string; Name: string } {
  return { ARN: arn, Name: name };
}

function idOf({ SecretId = "" }: AwsRequest): string {
  if (SecretId.length >= 1 && SecretId.length <= 2048) return SecretId;
  throw invalid("You must provide a SecretId.");
}

function tokenOf({ ClientRequestToken = newToken() }: AwsRequest): string {
  if (ClientRequestToken.length >= 32 && ClientRequestToken.length <= 64) return ClientRequestToken;
  throw invalid("ClientRequestToken must be 32-64 characters long.");
}

function invalid(message: string): AwsRefusal {
  return new AwsRefusal("InvalidParameterException", message);
}

function notFound(what: string): AwsRefusal {
  return new AwsRefusal(
    "ResourceNotFoundException",
    `Secrets Manager can't find the specified secret ${what}.`,
  );
}
