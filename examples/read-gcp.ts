// Reads a token from GCP Secret Manager, with application default credentials. The newest version
// may be disabled: this takes the newest one that is not.
//
//   node examples/read-gcp.ts "gcp-sm://my-project/hugging-face?version=latest-enabled"
import { createSecrets, SecretError } from "nopeek";
import { gcp } from "nopeek/adapters/gcp";

const fallback = "gcp-sm://my-project/hugging-face?version=latest-enabled";
const reference = process.argv[2] ?? fallback;
const secrets = createSecrets({ providers: [gcp({ timeoutMs: 5_000 })] });
try {
  const token = await secrets.get(reference, { name: "HF_TOKEN" });
  // Printing gives the mask; the value is got with token.reveal().
  console.log(`the token is ${token}, and has ${token.reveal().length} characters`);
} catch (error) {
  if (!(error instanceof SecretError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await secrets.close();
}
