/**
 * The credential rotation script: run it every hour, from cron or CI. It does what is due, ends what
 * an earlier run left, and revokes the old key when its overlap is over. Several at once are no harm.
 *
 * needs: an IAM user of its own for the key, and credentials for AWS and Modal as their tools use them
 * usage: rotate.ts [--yes] [--leaked]
 */
import { createSecrets, SecretError } from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { iam } from "nopeek/adapters/iam";
import { modal } from "nopeek/adapters/modal";
import { rotate } from "nopeek/rotate";

const dayMs = 86_400_000;
const exitCodes: Record<string, number> = { ROTATION_ROLLED_BACK: 17, ROTATION_INCOMPLETE: 18 };

await using from = createSecrets({ providers: [aws(), modal()] });
try {
  const result = await rotate({
    from,
    secret: "aws-sm://ml/uploader",
    target: iam({ user: "ml-uploader" }),
    // Jobs on Modal get their copy; running ones keep the old key until they end.
    publish: [
      {
        to: "modal://training",
        keys: { id: "AWS_ACCESS_KEY_ID", secret: "AWS_SECRET_ACCESS_KEY" },
      },
    ],
    minAgeMs: 30 * dayMs,
    overlapMs: 2 * dayMs, // longer than the longest job
    leaked: process.argv.includes("--leaked"),
    apply: process.argv.includes("--yes"), // otherwise it only tells
  });
  console.log(result.outcome);
  for (const { step, text } of result.steps) console.log(`${step}: ${text}`);
} catch (error) {
  if (!(error instanceof SecretError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = exitCodes[error.code] ?? 1;
}
