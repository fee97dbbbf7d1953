/**
 * AWS IAM access keys as the target of a rotation, exported as `nopeek/adapters/iam`.
 *
 * The client, `@aws-sdk/client-iam`, is an optional peer, loaded at the first use. Credentials of who
 * rotates come from its own default chain.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { IAMClient } from "@aws-sdk/client-iam";
import type { Credential, RotationTarget } from "../../src/rotate/index.ts";
import { type CallContext, Secret, SecretError } from "../../src/secrets/index.ts";
import { assertSafeEndpoint, importPeer, withDeadline } from "../shared/index.ts";

export interface IamOptions {
  /** The user whose keys are rotated; nobody else should make keys for it. */
  readonly user: string;
  /** Default: what the SDK finds. IAM is one service for all regions. */
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  /** https, or http on this machine; default: `AWS_ENDPOINT_URL_IAM`, or AWS. */
  readonly endpoint?: string | undefined;
  /** Keys of the stored document; default `accessKeyId` and `secretAccessKey`. */
  readonly fields?: { readonly id: string; readonly secret: string } | undefined;
  /** How long a new key may take until IAM knows it everywhere, in milliseconds; default 30 000. */
  readonly settleMs?: number | undefined;
}

type Sdk = typeof import("@aws-sdk/client-iam");

const defaultFields = { id: "accessKeyId", secret: "secretAccessKey" };
const timeoutMs = 10_000;
const pollMs = 500;
const defaultSettleMs = 30_000;
/** A key that is younger and unknown may only not be known everywhere yet. */
const youngMs = 120_000;

const loadSdk = importPeer<Sdk>(
  () => import("@aws-sdk/client-iam"),
  "@aws-sdk/client-iam@3",
  (sdk) => typeof sdk.IAMClient === "function",
);

/** Our code and what to do, by the name of the error. Its text may quote what was sent. */
const failures: Readonly<
  Record<string, readonly [ConstructorParameters<typeof SecretError>[0], string]>
> = {
  NoSuchEntityException: [
    "SECRET_REQUEST_INVALID",
    "the user or key does not exist; check the user",
  ],
  NoSuchEntity: ["SECRET_REQUEST_INVALID", "the user or key does not exist; check the user"],
  LimitExceededException: [
    "SECRET_QUOTA_EXCEEDED",
    "the user has two keys already; if one was left by a rotation that was interrupted, it is revoked ten minutes after it was made",
  ],
  LimitExceeded: [
    "SECRET_QUOTA_EXCEEDED",
    "the user has two keys already; if one was left by a rotation that was interrupted, it is revoked ten minutes after it was made",
  ],
  AccessDenied: [
    "SECRET_ACCESS_DENIED",
    "refused; allow iam:CreateAccessKey, iam:ListAccessKeys, iam:GetAccessKeyLastUsed and iam:DeleteAccessKey on the user",
  ],
  AccessDeniedException: [
    "SECRET_ACCESS_DENIED",
    "refused; allow iam:CreateAccessKey, iam:ListAccessKeys, iam:GetAccessKeyLastUsed and iam:DeleteAccessKey on the user",
  ],
  InvalidClientTokenId: ["SECRET_UNAUTHENTICATED", "did not accept the launcher's own credentials"],
  SignatureDoesNotMatch: [
    "SECRET_UNAUTHENTICATED",
    "did not accept the launcher's own credentials",
  ],
  ExpiredToken: [
    "SECRET_UNAUTHENTICATED",
    "did not accept the launcher's own credentials, which have expired",
  ],
  CredentialsProviderError: [
    "SECRET_UNAUTHENTICATED",
    "found no credentials of the launcher's own",
  ],
  Throttling: ["SECRET_THROTTLED", "asks for fewer calls; try again in some seconds"],
  ThrottlingException: ["SECRET_THROTTLED", "asks for fewer calls; try again in some seconds"],
};

/** What says that a key is not valid; any other refusal comes from a key that is. */
const unknownKey: ReadonlySet<string> = new Set([
  "InvalidClientTokenId",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
]);
const knownKey: ReadonlySet<string> = new Set(["AccessDenied", "AccessDeniedException"]);

/**
 * Rotates the access key of an IAM user: makes the second key, and deletes the first after the
 * overlap. A key that a rotation left behind when it died is deleted before a new one is made; a key
 * that somebody uses and no version refers to is left, and the rotation refused.
 *
 * @example
 * await rotate({
 *   from: secrets,
 *   secret: "aws-sm://ml/uploader",
 *   target: iam({ user: "ml-uploader" }),
 *   overlapMs: 86_400_000,
 *   apply: true,
 * });
 */
export function iam(options: IamOptions): RotationTarget {
  const { user, fields = defaultFields, settleMs = defaultSettleMs } = options;
  if (!/^[\w+=,.@-]{1,64}$/.test(user)) {
    throw new SecretError("DECLARATION_INVALID", "iam: user is the name of an IAM user");
  }
  const where = `IAM user ${user}`;
  /** When this process made a key. */
  const made = new Map<string, number>();

  async function call<T>(
    { signal }: CallContext,
    work: (client: IAMClient, sdk: Sdk, abortSignal: AbortSignal) => Promise<T>,
    credentials?: { accessKeyId: string; secretAccessKey: string },
  ): Promise<T> {
    const sdk = await loadSdk();
    const client = newClient(sdk, options, credentials);
    try {
      return await withDeadline({ timeoutMs, signal, what: where }, (abortSignal) =>
        work(client, sdk, abortSignal),
      );
    } finally {
      client.destroy();
    }
  }

  const asLauncher: typeof call = (context, work) =>
    call(context, work).catch((error) => {
      throw failureOf(error, where);
    });

  /** One call that any valid key is known by, whether or not it is allowed. */
  async function isKnown({ id = "", secret }: Credential, context: CallContext): Promise<boolean> {
    const credentials = { accessKeyId: id, secretAccessKey: secret.reveal() };
    try {
      await call(
        context,
        (client, sdk, abortSignal) => client.send(new sdk.GetUserCommand({}), { abortSignal }),
        credentials,
      );
      return true;
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      if (knownKey.has(name)) return true;
      if (unknownKey.has(name)) return false;
      throw failureOf(error, where);
    }
  }

  return {
    name: "iam",
    strategy: "issuer",
    fields,
    async propose(_, context) {
      const { AccessKey } = await asLauncher(context, (client, sdk, abortSignal) =>
        client.send(new sdk.CreateAccessKeyCommand({ UserName: user }), { abortSignal }),
      );
      const { AccessKeyId: id, SecretAccessKey: secret } = AccessKey ?? {};
      if (id === undefined || secret === undefined) {
        throw new SecretError("SECRET_MALFORMED", `${where}: AWS answered without a key`);
      }
      made.set(id, Date.now());
      return { id, secret: new Secret(secret) };
    },
    async works(credential, context) {
      const madeAtMs = made.get(credential.id ?? "") ?? 0;
      const isYoung = Date.now() - madeAtMs < youngMs;
      const endMs = Date.now() + (isYoung ? settleMs : 0);
      for (;;) {
        if (await isKnown(credential, context)) return true;
        if (Date.now() >= endMs) return false;
        await sleep(pollMs, undefined, { signal: context.signal });
      }
    },
    list: (context) =>
      asLauncher(context, async (client, sdk, abortSignal) => {
        const { AccessKeyMetadata: keys = [] } = await client.send(
          new sdk.ListAccessKeysCommand({ UserName: user }),
          { abortSignal },
        );
        return Promise.all(
          keys.map(async ({ AccessKeyId: id = "", CreateDate }) => {
            const { AccessKeyLastUsed } = await client.send(
              new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId: id }),
              { abortSignal },
            );
            return {
              id,
              createdAtMs: CreateDate?.getTime(),
              lastUsedAtMs: AccessKeyLastUsed?.LastUsedDate?.getTime(),
            };
          }),
        );
      }),
    async revoke({ id = "" }, context) {
      if (id === context.current?.id) {
        throw new SecretError("ROTATION_REFUSED", `${where}: the current key is never revoked`);
      }
      made.delete(id);
      await asLauncher(context, async (client, sdk, abortSignal) => {
        try {
          await client.send(new sdk.DeleteAccessKeyCommand({ UserName: user, AccessKeyId: id }), {
            abortSignal,
          });
        } catch (error) {
          if (!(error instanceof Error && error.name.startsWith("NoSuchEntity"))) throw error;
        }
      });
    },
    async usedBy({ id }, context) {
      const answer = await asLauncher(context, (client, sdk, abortSignal) =>
        client.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId: id }), { abortSignal }),
      );
      const { LastUsedDate, ServiceName } = answer.AccessKeyLastUsed ?? {};
      if (LastUsedDate === undefined) return [];
      return [`IAM: last used ${LastUsedDate.toISOString()} for ${ServiceName ?? "a service"}`];
    },
  };
}

function newClient(
  sdk: Sdk,
  { region, profile, endpoint }: IamOptions,
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined,
): IAMClient {
  const { AWS_ENDPOINT_URL_IAM: ofIam, AWS_ENDPOINT_URL: ofAll } = process.env;
  const given = endpoint ?? (ofIam || ofAll || undefined);
  if (given !== undefined) assertSafeEndpoint(given, "the endpoint of IAM");
  return new sdk.IAMClient({
    region: region ?? process.env["AWS_REGION"] ?? "us-east-1",
    ...(profile !== undefined && { profile }),
    ...(given !== undefined && { endpoint: given }),
    ...(credentials !== undefined && { credentials }),
    // A key whose answer was lost would be one more: made once, and looked for by the next run.
    maxAttempts: 1,
    requestHandler: {
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      connectionTimeout: 3_000,
    },
  });
}

function failureOf(error: unknown, where: string): SecretError {
  if (error instanceof SecretError) return error;
  const name = error instanceof Error ? error.name : "";
  const [code, advice] = (Object.hasOwn(failures, name) ? failures[name] : undefined) ?? [
    "SECRET_UNREACHABLE",
    "gave no usable answer; check the network and the endpoint",
  ];
  return new SecretError(code, `${where}: AWS ${advice}`);
}
