// What the one interface costs: a warm read against a look into a map, and each adapter against the
// raw client of the same store, call by call in turn, on loopback servers.
import { randomBytes } from "node:crypto";
import { aws } from "../dist/adapters/aws/index.js";
import { gcp } from "../dist/adapters/gcp/index.js";
import { memory, startAws, startGcp } from "../dist/adapters/testing/index.js";
import { createSecrets } from "../dist/src/index.js";
import { interleaved, median, printTable } from "./support.mjs";

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
process.env.AWS_EC2_METADATA_DISABLED = "true";
process.env.no_proxy = "127.0.0.1,localhost";
/** A store in the same region answers after a few milliseconds; this machine after none. */
const networkMs = 5;
const value = randomBytes(24).toString("hex");

async function warmReads() {
  const reference = "s://name";
  const secrets = createSecrets({ providers: [memory({ [reference]: value })] });
  const kept = new Map([[reference, await secrets.get(reference)]]);
  const awaited = (get) => async () => {
    const count = 20_000;
    const begun = performance.now();
    for (let i = 0; i < count; i++) await get();
    return ((performance.now() - begun) * 1e6) / count;
  };
  const ns = await interleaved(
    {
      "Map.get": awaited(() => kept.get(reference)),
      "secrets.get": awaited(() => secrets.get(reference)),
    },
    25,
  );
  printTable("a warm read, awaited (goal: under 1000 ns)", [
    ["", "ns", "ratio"],
    ...Object.entries(ns).map(([name, time]) => [
      name,
      time.toFixed(0),
      (time / ns["Map.get"]).toFixed(2),
    ]),
  ]);
}

/** Pairs of calls in turn: the median of the ratios of each pair, and of the times. */
async function paired(raw, ours, rounds = 400) {
  const times = { raw: [], ours: [] };
  const timed = async (into, call) => {
    const begun = performance.now();
    await call();
    into.push(performance.now() - begun);
  };
  for (let i = 0; i < rounds; i++) {
    const order = i % 2 === 0 ? ["raw", "ours"] : ["ours", "raw"];
    for (const name of order) await timed(times[name], name === "raw" ? raw : ours);
  }
  const warm = (name) => median(times[name].slice(50));
  return [warm("raw"), warm("ours")];
}

async function overAws() {
  const server = await startAws();
  try {
    server.seed("name", value);
    const { SecretsManagerClient, GetSecretValueCommand } = await import(
      "@aws-sdk/client-secrets-manager"
    );
    const client = new SecretsManagerClient(server.clientOptions);
    const secrets = createSecrets({ providers: [aws({ client })], cache: false });
    const { signal } = new AbortController();
    const command = () => new GetSecretValueCommand({ SecretId: "name" });
    const abortable = () => client.send(command(), { abortSignal: signal });
    const ours = () => secrets.get("aws-sm://name");
    const rows = {
      "AWS, over a call that can be aborted": await paired(abortable, ours),
      "AWS, over a bare call": await paired(() => client.send(command()), ours),
    };
    server.fail({ kind: "delay", delayMs: networkMs, times: Number.POSITIVE_INFINITY });
    rows[`AWS, both answered after ${networkMs} ms`] = await paired(abortable, ours, 200);
    return rows;
  } finally {
    await server.close();
  }
}

async function overGcp() {
  const server = await startGcp();
  try {
    server.seed("name", value);
    // What the client itself uses, found from where it is installed.
    const { createRequire } = await import("node:module");
    const here = createRequire(import.meta.url);
    const inside = createRequire(here.resolve("@google-cloud/secret-manager"));
    const { grpc } = inside("google-gax");
    const { PassThroughClient } = createRequire(inside.resolve("google-gax"))(
      "google-auth-library",
    );
    const { v1 } = await import("@google-cloud/secret-manager");
    const [host, port] = server.endpoint.replace(/^https?:\/\//, "").split(":");
    const client = new v1.SecretManagerServiceClient({
      apiEndpoint: host,
      port: Number(port),
      sslCreds: grpc.credentials.createInsecure(),
      authClient: new PassThroughClient(),
    });
    await client.initialize();
    const secrets = createSecrets({ providers: [gcp({ client })], cache: false });
    const name = `projects/${server.project}/secrets/name/versions/latest`;
    const raw = () => client.accessSecretVersion({ name }, { timeout: 10_000 });
    const ours = () => secrets.get(`gcp-sm://${server.project}/name`);
    const result = await paired(raw, ours);
    server.fail({ kind: "delay", delayMs: networkMs, times: Number.POSITIVE_INFINITY });
    const slow = await paired(raw, ours, 200);
    await client.close();
    return {
      "GCP, over a call with a timeout": result,
      [`GCP, both answered after ${networkMs} ms`]: slow,
    };
  } finally {
    await server.close();
  }
}

await warmReads();
printTable("a read on a warm connection (goal: at most 1.05)", [
  ["", "raw ms", "adapter ms", "ratio"],
  ...Object.entries({ ...(await overAws()), ...(await overGcp()) }).map(([name, [raw, ours]]) => [
    name,
    raw.toFixed(3),
    ours.toFixed(3),
    (ours / raw).toFixed(3),
  ]),
]);
