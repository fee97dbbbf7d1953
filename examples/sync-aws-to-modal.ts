/**
 * Copies credentials from AWS Secrets Manager into a named secret of Modal. Run it after a rotation:
 * Modal gives the new values to containers that start from then on.
 *
 * needs: credentials for AWS and for Modal, as their own tools use them
 */
import { createSecrets, defineSecrets } from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { modal } from "nopeek/adapters/modal";

await using secrets = createSecrets({ providers: [aws(), modal()] });

// All of them or nothing: a half-written secret would break every job that uses it.
const values = await secrets.load(
  defineSecrets({
    HF_TOKEN: "aws-sm://ml/huggingface#token",
    WANDB_API_KEY: "aws-sm://ml/wandb#api_key",
  }),
);

// "merge" keeps the other keys of the secret; "replace" would remove them.
await secrets.put("modal://training", values, { mode: "merge" });

console.log(`modal://training now holds ${Object.keys(values).join(" and ")}`);
