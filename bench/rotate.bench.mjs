// What a rotation costs: its calls of each store, and its wall time against the time that the calls
// themselves took in the same run. Each call takes 5 ms, as in the same region.
import { randomBytes } from "node:crypto";
import { aws } from "../dist/adapters/aws/index.js";
import { gcp } from "../dist/adapters/gcp/index.js";
import { startAws, startGcp } from "../dist/adapters/testing/index.js";
import { createSecrets, Secret } from "../dist/src/index.js";
import { randomValue, rotate } from "../dist/src/rotate/index.js";
import { median, printTable } from "./support.mjs";

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
process.env.AWS_EC2_METADATA_DISABLED = "true";
process.env.no_proxy = "127.0.0.1,localhost";
const networkMs = 5;
const rounds = 25;
const hourMs = 3_600_000;

/** The time that is spent inside of calls. */
const inside = { ms: 0 };
async function timed(call) {
  const begun = performance.now();
  try {
    return await call();
  } finally {
    inside.ms += performance.now() - begun;
  }
}

const targets = {
  "two users": () => {
    const users = new Map();
    return {
      first: (user, password) => users.set(user, password),
      target: {
        name: "two users",
        strategy: "alternating",
        fields: { id: "user", secret: "password" },
        propose: async (current) => ({
          id: current.id === "a" ? "b" : "a",
          secret: new Secret(randomValue()),
        }),
        set: async ({ id, secret }) => void users.set(id, secret.reveal()),
        works: async ({ id, secret }) => users.get(id) === secret.reveal(),
        revoke: async ({ id }) => void users.delete(id),
      },
    };
  },
  issuer: () => {
    const keys = new Map();
    return {
      first: (id, secret) => keys.set(id, secret),
      target: {
        name: "issuer",
        strategy: "issuer",
        fields: { id: "user", secret: "password" },
        propose: async () => {
          const [id, value] = [randomBytes(8).toString("hex"), randomValue()];
          keys.set(id, value);
          return { id, secret: new Secret(value) };
        },
        works: async ({ id, secret }) => keys.get(id) === secret.reveal(),
        list: async () => [...keys.keys()].map((id) => ({ id })),
        revoke: async ({ id }) => void keys.delete(id),
      },
    };
  },
};

async function overAws() {
  const server = await startAws();
  const { SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient(server.clientOptions);
  const send = client.send.bind(client);
  client.send = (...args) => timed(() => send(...args));
  return {
    server,
    provider: aws({ client }),
    client,
    seed: (name, text) => server.seed(name, text),
    reference: (name) => `aws-sm://${name}`,
  };
}

async function overGcp() {
  const server = await startGcp();
  const { createRequire } = await import("node:module");
  const { SecretManagerServiceClient } = await import("@google-cloud/secret-manager");
  const here = createRequire(
    createRequire(import.meta.url).resolve("@google-cloud/secret-manager"),
  );
  const { googleAuthLibrary, grpc } = here("google-gax");
  const client = new SecretManagerServiceClient({
    apiEndpoint: "127.0.0.1",
    port: Number(new URL(server.endpoint).port),
    sslCreds: grpc.credentials.createInsecure(),
    authClient: new googleAuthLibrary.PassThroughClient(),
  });
  await client.initialize();
  for (const [name, call] of Object.entries(client.innerApiCalls)) {
    client.innerApiCalls[name] = (...args) => timed(() => call(...args));
  }
  const seed = (name, text) => {
    server.seed(name, text);
    server.setAliases(name, { current: 1 });
  };
  return {
    server,
    provider: gcp({ client }),
    client,
    seed,
    reference: (name) => `gcp-sm://${server.project}/${name}`,
  };
}

/** `UpdateSecretVersionStage 5, GetSecretValue 2`. */
function counted(calls) {
  const counts = new Map();
  for (const call of calls) counts.set(call, (counts.get(call) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
}

const rows = [];
for (const [store, make] of [
  ["AWS", overAws],
  ["GCP", overGcp],
]) {
  const { server, provider, client, seed, reference } = await make();
  const from = createSecrets({ providers: [provider], cache: false });
  for (const [kind, newTarget] of Object.entries(targets)) {
    const ratios = [];
    let calls = [];
    for (let round = 0; round < rounds; round++) {
      const { first, target } = newTarget();
      const name = `bench-${kind.replace(" ", "-")}-${round}`;
      first("a", "the first password");
      seed(name, JSON.stringify({ user: "a", password: "the first password" }));
      server.reset();
      server.fail({ kind: "delay", delayMs: networkMs, times: Number.POSITIVE_INFINITY });
      inside.ms = 0;
      const begun = performance.now();
      const options = { from, secret: reference(name), target, apply: true };
      const { outcome } = await rotate({ ...options, overlapMs: hourMs });
      const wallMs = performance.now() - begun;
      if (outcome !== "rotated") throw new Error(outcome);
      ratios.push({ wallMs, insideMs: inside.ms, ratio: wallMs / inside.ms });
      calls = [...server.calls];
    }
    const of = (key) => median(ratios.slice(5).map((each) => each[key]));
    rows.push([
      `${store}, ${kind}`,
      calls.length,
      of("insideMs").toFixed(1),
      of("wallMs").toFixed(1),
      of("ratio").toFixed(3),
      counted(calls),
    ]);
  }
  await from.close();
  if (store === "AWS") client.destroy();
  else await client.close();
  await server.close();
}
printTable("a rotation (goal: wall time at most 1.1 times that of its calls)", [
  ["", "calls", "calls ms", "wall ms", "ratio", "which"],
  ...rows,
]);
