// `npm start`: makes credentials for this one run and trains with them under `nopeek run`.
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "nopeek-quickstart-"));
const envFile = join(folder, ".env");
const { privateKey } = generateKeyPairSync("ed25519");
const values = {
  HF_TOKEN: `hf_${randomBytes(24).toString("base64url")}`,
  REGISTRY_URL: `https://trainer:${randomBytes(12).toString("hex")}@registry.example/data`,
  DEPLOY_KEY: `"${privateKey.export({ type: "pkcs8", format: "pem" }).trim()}"`,
  EPOCHS: 40,
};
writeFileSync(
  envFile,
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join(""),
  { mode: 0o600 },
);

try {
  // Node 20 would take --env-file for its own without the first "--".
  const command = ["--", path("../../dist/src/cli/bin.js"), "run", "--env-file", envFile];
  const job = ["--", process.execPath, path("train.mjs")];
  const { status } = spawnSync(process.execPath, [...command, ...job], { stdio: "inherit" });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
