// Reads a token from AWS Secrets Manager, with the credentials that the AWS command line uses.
//
//   node examples/read-aws.ts "aws-sm://ml/hugging-face#token"
import { createSecrets, SecretError } from "nopeek";
import { aws } from "nopeek/adapters/aws";

const reference = process.argv[2] ?? "aws-sm://ml/hugging-face#token";
const secrets = createSecrets({ providers: [aws()] });
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
