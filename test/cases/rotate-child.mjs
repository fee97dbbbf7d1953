// One rotation over real clients that kills itself with SIGKILL at a call: the k-th of the store's and
// the target's together, before it is sent or after its answer. Prints how many calls there were.
import { createRequire } from "node:module";
import { createSecrets } from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { gcp } from "nopeek/adapters/gcp";
import { iam } from "nopeek/adapters/iam";
import { command, rotate } from "nopeek/rotate";

const {
  store,
  secret,
  endpoint,
  target: given,
  killAt,
  after,
  options,
} = JSON.parse(process.argv[2]);
let calls = 0;

async function counted(call) {
  calls += 1;
  const isLast = calls === killAt;
  if (isLast && !after) process.kill(process.pid, "SIGKILL");
  const answer = await call();
  if (isLast) process.kill(process.pid, "SIGKILL");
  return answer;
}

async function awsClient() {
  const { SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient({ endpoint, region: "us-east-1", maxAttempts: 1 });
  client.middlewareStack.add((next) => (args) => counted(() => next(args)), {
    step: "finalizeRequest",
    priority: "low",
  });
  return client;
}

async function gcpClient() {
  const { SecretManagerServiceClient } = await import("@google-cloud/secret-manager");
  const here = createRequire(import.meta.resolve("@google-cloud/secret-manager"));
  const { googleAuthLibrary, grpc } = here("google-gax");
  const client = new SecretManagerServiceClient({
    apiEndpoint: "127.0.0.1",
    port: Number(new URL(endpoint).port),
    sslCreds: grpc.credentials.createInsecure(),
    authClient: new googleAuthLibrary.PassThroughClient(),
  });
  await client.initialize();
  for (const [name, call] of Object.entries(client.innerApiCalls)) {
    client.innerApiCalls[name] = (...args) => counted(() => call(...args));
  }
  return client;
}

const inner = given.type === "iam" ? iam({ ...given, settleMs: 0 }) : command(given);
const target = new Proxy(inner, {
  get(target, name) {
    const value = target[name];
    const isCall = ["propose", "set", "works", "list", "revoke"].includes(name);
    return typeof value === "function" && isCall
      ? (...args) => counted(() => value.apply(target, args))
      : value;
  },
});
const provider =
  store === "aws" ? aws({ client: await awsClient() }) : gcp({ client: await gcpClient() });
const from = createSecrets({ providers: [provider] });
const { outcome } = await rotate({
  from,
  secret,
  target,
  apply: true,
  overlapMs: 3_600_000,
  ...options,
});
console.log(JSON.stringify({ outcome, calls }));
process.exit();
