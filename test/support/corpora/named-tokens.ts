import { generateKeyPairSync } from "node:crypto";
import { alphabets, type Draw } from "./draw.ts";
import { named, type TokenClass, whole } from "./token.ts";

const { base36, base62, base64, hex, password } = alphabets;

/** A password that no scanner can take for a word: letters of both cases and digits. */
const strong = (draw: Draw, length: number) =>
  `${draw.text(base62, length - 4)}${draw.pick(["Zq", "Wx", "Kv"])}${draw.text("0123456789", 2)}`;

/** Credentials without a mark of their own: the name beside them tells. */
export const namedTokens: readonly TokenClass[] = [
  named(
    "aws-secret-key",
    ["AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "SecretAccessKey"],
    (d) => d.text(base64, 40),
  ),
  named("wandb-key", ["WANDB_API_KEY", "wandb_api_key", "wandb_key"], (d) => d.text(hex, 40)),
  named("cohere-key", ["COHERE_API_KEY", "CO_API_KEY", "cohere_api_key"], (d) =>
    d.text(base62, 40),
  ),
  named("comet-key", ["COMET_API_KEY", "comet_api_key"], (d) => d.text(base62, 25)),
  named("kaggle-key", ["KAGGLE_KEY", "kaggle_key"], (d) => d.text(hex, 32)),
  named("mistral-key", ["MISTRAL_API_KEY", "mistral_api_key"], (d) => d.text(base62, 32)),
  named("azure-key", ["AZURE_API_KEY", "azure_openai_key", "OCP_SUBSCRIPTION_KEY"], (d) =>
    d.text(hex, 32),
  ),
  named("azure-account-key", ["AccountKey", "SharedAccessKey"], (d) => `${d.text(base64, 86)}==`),
  named(
    "modal-named",
    ["MODAL_TOKEN_SECRET", "MODAL_TOKEN_ID"],
    (d) => `${d.pick(["ak-", "as-"])}${d.text(base62, 16 + d.below(24))}`,
  ),
  named(
    "generic-api-key",
    ["API_KEY", "api_key", "apiKey", "x-api-key", "my_service_api_key"],
    (d) => d.text(base36, 32),
  ),
  named("generic-token", ["AUTH_TOKEN", "access_token", "accessToken", "refresh_token"], (d) =>
    d.text(base62, 40),
  ),
  named("generic-secret", ["CLIENT_SECRET", "client_secret", "clientSecret", "APP_SECRET"], (d) =>
    strong(d, 32),
  ),
  named(
    "generic-password",
    ["DB_PASSWORD", "password", "POSTGRES_PASSWORD", "redis_password", "PGPASSWORD"],
    (d) => `${d.text(password.slice(0, 62), 1)}${d.text(password, 10)}${strong(d, 6)}`,
  ),
  named("encryption-key", ["ENCRYPTION_KEY", "SECRET_KEY", "JWT_SECRET", "SIGNING_KEY"], (d) =>
    d.text(hex, 64),
  ),
];

function pem(draw: Draw, label: string, lines: number) {
  const body = Array.from({ length: lines }, () => draw.text(base64, 64)).join("\n");
  const text = `-----BEGIN ${label}-----\n${"MII"}${body}\n-----END ${label}-----`;
  return { secret: text, text };
}

const basic = (draw: Draw) => Buffer.from(`robot:${strong(draw, 20)}`).toString("base64");

/** Credentials known by the text that they stand in. */
export const wholeTokens: readonly TokenClass[] = [
  whole("private-key", (d) => pem(d, "RSA PRIVATE KEY", 12)),
  whole("private-key-openssh", (d) => pem(d, "OPENSSH PRIVATE KEY", 5)),
  whole("private-key-ec", (d) => pem(d, "EC PRIVATE KEY", 2)),
  whole("private-key-encrypted", (d) => pem(d, "ENCRYPTED PRIVATE KEY", 12)),
  whole("private-key-ed25519", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const text = privateKey.export({ type: "pkcs8", format: "pem" }).toString().trim();
    return { secret: text, text };
  }),
  whole("pgp-key", (d) => pem(d, "PGP PRIVATE KEY BLOCK", 8)),
  whole("gcp-service-account", (d) => {
    const { secret } = pem(d, "PRIVATE KEY", 25);
    const key = {
      type: "service_account",
      project_id: "training",
      private_key_id: d.text(hex, 40),
      private_key: `${secret}\n`,
    };
    return { secret: secret.replaceAll("\n", "\\n"), text: JSON.stringify(key) };
  }),
  whole("url-password", (d) => {
    const secret = strong(d, 16);
    const scheme = d.pick(["postgresql", "mysql+pymysql", "redis", "mongodb+srv", "amqp", "https"]);
    return { secret, text: `${scheme}://svc:${secret}@db-${d.below(9)}.internal:5432/prod` };
  }),
  whole("redis-url-password", (d) => {
    const secret = strong(d, 24);
    return { secret, text: `redis://:${secret}@cache.internal:6379/0` };
  }),
  whole("authorization-bearer", (d) => {
    const secret = d.text(base62, 40);
    return { secret, text: `${d.pick(["Authorization", "authorization"])}: Bearer ${secret}` };
  }),
  whole("authorization-basic", (d) => {
    const secret = basic(d);
    return { secret, text: `Authorization: Basic ${secret}` };
  }),
  whole("authorization-token", (d) => {
    const secret = d.text(hex, 40);
    return { secret, text: `Authorization: Token ${secret}` };
  }),
  whole("netrc", (d) => {
    const secret = d.text(hex, 40);
    return { secret, text: `machine api.wandb.ai login user password ${secret}` };
  }),
  whole("netrc-lines", (d) => {
    const secret = strong(d, 24);
    return { secret, text: `machine git.internal\n  login robot\n  password ${secret}` };
  }),
  whole("docker-auth", (d) => {
    const secret = basic(d);
    return {
      secret,
      text: JSON.stringify({ auths: { "https://index.docker.io/v1/": { auth: secret } } }),
    };
  }),
  whole("odbc", (d) => {
    const secret = strong(d, 14);
    return {
      secret,
      text: `Driver={ODBC Driver 18 for SQL Server};Server=tcp:db.internal,1433;Database=runs;Uid=svc;Pwd=${secret};Encrypt=yes;`,
    };
  }),
  whole("azure-connection-string", (d) => {
    const secret = `${d.text(base64, 76)}+ASt${d.text(base64, 5)}g==`;
    return {
      secret,
      text: `DefaultEndpointsProtocol=https;AccountName=runs;AccountKey=${secret};EndpointSuffix=core.windows.net`,
    };
  }),
  whole("azure-sas", (d) => {
    const secret = encodeURIComponent(d.bytes(32).toString("base64"));
    return {
      secret,
      text: `https://runs.blob.core.windows.net/data/shard.tar?sv=2022-11-02&se=2026-01-01&sr=b&sp=r&sig=${secret}`,
    };
  }),
  whole("kaggle-json", (d) => {
    const secret = d.text(hex, 32);
    return { secret, text: JSON.stringify({ username: "someone", key: secret }) };
  }),
  whole("aws-credentials-file", (d) => {
    const secret = d.text(base64, 40);
    return {
      secret,
      text: `[default]\naws_access_key_id = ${"AKIA"}${d.text(alphabets.base32, 16)}\naws_secret_access_key = ${secret}`,
    };
  }),
  whole("wandb-login", (d) => {
    const secret = d.text(hex, 40);
    return {
      secret,
      text: d.pick([
        `wandb login ${secret}`,
        `wandb login --relogin ${secret}`,
        `wandb.login(key="${secret}")`,
      ]),
    };
  }),
  whole("basic-auth-curl", (d) => {
    const secret = strong(d, 20);
    return { secret, text: `curl -u robot:${secret} https://artifacts.internal/models` };
  }),
  whole("modal-toml", (d) => {
    const secret = `as-${d.text(base62, 22)}`;
    return {
      secret,
      text: `[default]\ntoken_id = "ak-${d.text(base62, 22)}"\ntoken_secret = "${secret}"`,
    };
  }),
];
