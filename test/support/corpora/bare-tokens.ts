import { base36Length, withBase36Crc, withBase62Crc } from "./checksums.ts";
import { alphabets, type Draw } from "./draw.ts";
import { bare, type TokenClass } from "./token.ts";

const { base32, base36, base62, base64, base64url, digit, hex, letters, lower, upperNumeric } =
  alphabets;

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
/** The end of base64 text as an encoder makes it. */
const padded = (bytes: Buffer) => bytes.toString("base64");

/** A prefix and random text behind it. */
const after = (prefix: string, alphabet: string, length: number) => (draw: Draw) =>
  prefix + draw.text(alphabet, length);

const openAi = (kind: string, length: number) => (draw: Draw) =>
  `sk-${kind}${draw.text(base64url, length)}${"T3Blbk"}FJ${draw.text(base64url, length)}`;

const jwt = (draw: Draw) =>
  [
    json({ alg: draw.pick(["HS256", "RS256", "ES256"]), typ: "JWT" }).toString("base64url"),
    json({ sub: draw.text(digit, 10), iat: 1_700_000_000 + draw.below(9e7) }).toString("base64url"),
    draw.bytes(draw.pick([32, 64, 256])).toString("base64url"),
  ].join(".");

function gitLabRoutable(prefix: string, versioned: boolean) {
  return (draw: Draw) => {
    const payload = Buffer.concat([
      draw.bytes(16),
      Buffer.from(`o:${draw.text(base36, 2)}\nu:${draw.text(base36, 4)}`),
      draw.bytes(1),
    ]);
    const text = payload.toString("base64url");
    return withBase36Crc(`${prefix}${text}.${versioned ? "01." : ""}${base36Length(text)}`);
  };
}

/** Credentials that are known by themselves: a prefix, a mark inside, or a checksum. */
export const bareTokens: readonly TokenClass[] = [
  bare("modal-token-id", "MODAL_TOKEN_ID", after("ak-", base62, 22)),
  bare("modal-token-secret", "MODAL_TOKEN_SECRET", after("as-", base62, 22)),
  bare(
    "modal-proxy-token",
    "MODAL_PROXY_TOKEN",
    (d) => d.pick(["wk-", "ws-"]) + d.text(base62, 22),
  ),
  bare(
    "aws-access-key-id",
    "AWS_ACCESS_KEY_ID",
    (d) => d.pick(["AKIA", "ASIA", "ABIA", "ACCA"]) + d.text(base32, 16),
  ),
  bare(
    "aws-session-token",
    "AWS_SESSION_TOKEN",
    (d) =>
      d.pick([`${"IQoJb3Jp"}Z2luX2Vj`, `${"FwoGZXIv"}YXdzE`]) + padded(d.bytes(300 + d.below(400))),
  ),
  bare(
    "aws-bedrock-key",
    "AWS_BEARER_TOKEN_BEDROCK",
    (d) => `${"ABSK"}QmVkcm9ja0FQSUtleS${padded(d.bytes(84))}`,
  ),
  bare(
    "aws-bedrock-short-key",
    "AWS_BEARER_TOKEN_BEDROCK",
    (d) => `${"bedrock-api"}-key-YmVkcm9jay5hbWF6b25hd3MuY29t${padded(d.bytes(600))}`,
  ),
  bare("gcp-api-key", "GOOGLE_API_KEY", after("AIza", base64url, 35)),
  bare("gemini-api-key", "GEMINI_API_KEY", after(`AQ.${"Ab8RN6"}`, base64url, 44)),
  bare(
    "gcp-oauth-token",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    (d) => `ya29.${d.pick(["a0", "c."])}${d.text(base64url, 150 + d.below(60))}`,
  ),
  bare("gcp-client-secret", "GOOGLE_CLIENT_SECRET", after("GOCSPX-", base64url, 28)),
  bare(
    "azure-client-secret",
    "AZURE_CLIENT_SECRET",
    (d) =>
      `${d.text(base62, 3)}${d.pick(["7", "8"])}Q~${d.text(`${base62}~._-`, 30 + d.below(4))}${d.text(base62, 1)}`,
  ),
  bare(
    "azure-ai-key",
    "AZURE_OPENAI_API_KEY",
    (d) =>
      `${d.text(base62, 52)}${"JQQ"}J99${d.text(base62, 1)}${d.text("ABCDEFGHIJKL", 1)}${d.text(base62, 12)}${"AAAB"}ACOG${d.text(base62, 4)}`,
  ),
  bare(
    "azure-storage-key",
    "AZURE_STORAGE_KEY",
    (d) =>
      `${d.text(base64, 76)}${d.pick(["+ASt", "ACDb"])}${d.text(base64, 5)}${d.text("AQgw", 1)}==`,
  ),
  bare("huggingface-token", "HF_TOKEN", after("hf_", letters, 34)),
  bare("huggingface-org-token", "HF_API_TOKEN", after("api_org_", letters, 34)),
  bare(
    "wandb-v1-key",
    "WANDB_API_KEY",
    (d) => `wandb_v1_${d.text(base62, 27)}_${d.text(base62, 49)}`,
  ),
  bare("openai-key", "OPENAI_API_KEY", (d) => openAi(d.pick(["proj-", "svcacct-"]), 74)(d)),
  bare("openai-admin-key", "OPENAI_ADMIN_KEY", openAi("admin-", 58)),
  bare(
    "openai-legacy-key",
    "OPENAI_API_KEY",
    (d) => `sk-${d.text(base62, 20)}${"T3Blbk"}FJ${d.text(base62, 20)}`,
  ),
  bare(
    "anthropic-key",
    "ANTHROPIC_API_KEY",
    (d) => `sk-ant-${d.pick(["api03", "admin01"])}-${d.text(base64url, 93)}AA`,
  ),
  bare(
    "anthropic-oauth-token",
    "CLAUDE_CODE_OAUTH_TOKEN",
    (d) => `sk-ant-${d.pick(["oat01", "ort01"])}-${d.text(base64url, 93)}AA`,
  ),
  bare("github-token", "GITHUB_TOKEN", (d) =>
    withBase62Crc(d.pick(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]), d.text(base62, 30)),
  ),
  bare("github-installation-token", "GH_TOKEN", (d) => `ghs_${d.text("123456789", 7)}_${jwt(d)}`),
  bare(
    "github-fine-grained",
    "GITHUB_PAT",
    (d) => `github_pat_${d.text(base62, 22)}_${d.text(base62, 59)}`,
  ),
  bare("gitlab-pat", "GITLAB_TOKEN", after("glpat-", base64url.slice(0, -2), 20)),
  bare("gitlab-routable", "GITLAB_TOKEN", gitLabRoutable("glpat-", false)),
  bare("gitlab-versioned", "GITLAB_TOKEN", gitLabRoutable("glpat-", true)),
  bare("gitlab-trigger-token", "TRIGGER_TOKEN", after("glptt-", hex, 40)),
  bare("gitlab-deploy-token", "CI_DEPLOY_PASSWORD", after("gldt-", base62, 20)),
  bare("gitlab-runner-token", "CI_RUNNER_TOKEN", after("glrt-", base62, 20)),
  bare("gitlab-runner-routable", "CI_RUNNER_TOKEN", gitLabRoutable("glrt-t3_", true)),
  bare(
    "gitlab-job-token",
    "CI_JOB_TOKEN",
    (d) => `glcbt-${d.text(base62, 2)}_${d.text(base62, 20)}`,
  ),
  bare("gitlab-scim-token", "SCIM_TOKEN", after("glsoat-", base62, 20)),
  bare("gitlab-feed-token", "FEED_TOKEN", after("glft-", base62, 20)),
  bare("gitlab-agent-token", "AGENT_TOKEN", after("glagent-", base62, 50)),
  bare(
    "slack-bot-token",
    "SLACK_BOT_TOKEN",
    (d) => `xoxb-${d.text(digit, 12)}-${d.text(digit, 13)}-${d.text(base62, 24)}`,
  ),
  bare(
    "slack-user-token",
    "SLACK_TOKEN",
    (d) => `xoxp-${d.text(digit, 12)}-${d.text(digit, 12)}-${d.text(digit, 13)}-${d.text(hex, 32)}`,
  ),
  bare(
    "slack-app-token",
    "SLACK_APP_TOKEN",
    (d) => `xapp-1-A${d.text(upperNumeric, 10)}-${d.text(digit, 13)}-${d.text(hex, 64)}`,
  ),
  bare("slack-config-token", "SLACK_CONFIG_TOKEN", (d) => `xoxe.xoxp-1-${d.text(base62, 166)}`),
  bare(
    "slack-webhook",
    "SLACK_WEBHOOK_URL",
    (d) => `T${d.text(upperNumeric, 10)}/B${d.text(upperNumeric, 10)}/${d.text(base62, 24)}`,
    "https://hooks.slack.com/services/",
  ),
  bare(
    "discord-webhook",
    "DISCORD_WEBHOOK",
    (d) => `${d.text(digit, 18)}/${d.text(base64url, 68)}`,
    "https://discord.com/api/webhooks/",
  ),
  bare(
    "stripe-key",
    "STRIPE_SECRET_KEY",
    (d) =>
      `${d.pick(["sk", "rk"])}_${d.pick(["live", "test"])}_51${d.text(base62, d.pick([22, 97]))}`,
  ),
  bare(
    "databricks-token",
    "DATABRICKS_TOKEN",
    (d) => `dapi${d.text(hex, 32)}${d.pick(["", "-2", "-3"])}`,
  ),
  bare("neptune-token", "NEPTUNE_API_TOKEN", (d) =>
    json({
      api_address: "https://app.neptune.ai",
      api_url: "https://app.neptune.ai",
      api_key: `${d.text(hex, 8)}-${d.text(hex, 4)}-${d.text(hex, 4)}-${d.text(hex, 4)}-${d.text(hex, 12)}`,
    }).toString("base64"),
  ),
  bare("kaggle-token", "KAGGLE_API_TOKEN", after("KGAT_", hex, 32)),
  bare("replicate-token", "REPLICATE_API_TOKEN", after("r8_", base62, 37)),
  bare(
    "pinecone-key",
    "PINECONE_API_KEY",
    (d) => `pcsk_${d.text(base62, d.pick([5, 6]))}_${d.text(base62, 63)}`,
  ),
  bare(
    "pypi-token",
    "TWINE_PASSWORD",
    (d) => `pypi-AgEI${"cHlwaS5v"}cmc${d.text(base64url, 130 + d.below(50))}`,
  ),
  bare(
    "pypi-test-token",
    "TWINE_PASSWORD",
    (d) => `pypi-AgEN${"dGVzdC5w"}eXBpLm9yZw${d.text(base64url, 130 + d.below(50))}`,
  ),
  bare("npm-token", "NPM_TOKEN", (d) => withBase62Crc("npm_", d.text(base62, 30))),
  bare("nvidia-key", "NVIDIA_API_KEY", after("nvapi-", base64url, 64)),
  bare(
    "runpod-key",
    "RUNPOD_API_KEY",
    (d) => `rpa_${d.text(upperNumeric, 40)}${d.text(base36, 6)}`,
  ),
  bare("together-key", "TOGETHER_API_KEY", after("tgp_v1_", base64url, 43)),
  bare("groq-key", "GROQ_API_KEY", after("gsk_", base62, 52)),
  bare(
    "langsmith-key",
    "LANGSMITH_API_KEY",
    (d) => `lsv2_${d.pick(["pt", "sk"])}_${d.text(hex, 32)}_${d.text(hex, 10)}`,
  ),
  bare("openrouter-key", "OPENROUTER_API_KEY", after("sk-or-v1-", hex, 64)),
  bare(
    "langfuse-key",
    "LANGFUSE_SECRET_KEY",
    (d) =>
      `sk-lf-${d.text(hex, 8)}-${d.text(hex, 4)}-${d.text(hex, 4)}-${d.text(hex, 4)}-${d.text(hex, 12)}`,
  ),
  bare("deepseek-key", "DEEPSEEK_API_KEY", after("sk-", base36, 32)),
  bare("xai-key", "XAI_API_KEY", after("xai-", base62, 80)),
  bare("perplexity-key", "PERPLEXITY_API_KEY", after("pplx-", base62, 48)),
  bare("cerebras-key", "CEREBRAS_API_KEY", after("csk-", base36, 48)),
  bare("fireworks-key", "FIREWORKS_API_KEY", after("fw_", base62, 24)),
  bare(
    "docker-pat",
    "DOCKER_PAT",
    (d) => `dckr_${d.pick(["pat_", "oat_"])}${d.text(base62, d.pick([27, 32]))}`,
  ),
  bare("digitalocean-token", "DIGITALOCEAN_TOKEN", after("dop_v1_", hex, 64)),
  bare("vault-token", "VAULT_TOKEN", after("hvs.", base64url, 95)),
  bare(
    "terraform-token",
    "TF_API_TOKEN",
    (d) => `${d.text(base62, 14)}.atlasv1.${d.text(base64url, 67)}`,
  ),
  bare("doppler-token", "DOPPLER_TOKEN", (d) => `dp.${d.pick(["pt", "ct"])}.${d.text(base62, 43)}`),
  bare(
    "onepassword-token",
    "OP_SERVICE_ACCOUNT_TOKEN",
    (d) =>
      `ops_${json({ signInAddress: "my.1password.com", userAuth: { method: "SRPg-4096" }, email: `${d.text(lower, 13)}@1passwordserviceaccounts.com`, srpX: d.text(hex, 64), muk: d.text(hex, 64) }).toString("base64")}`,
  ),
  bare(
    "age-key",
    "AGE_KEY",
    (d) => `AGE-SECRET-KEY-1${d.text("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)}`,
  ),
  bare("grafana-token", "GRAFANA_TOKEN", (d) => `glsa_${d.text(base62, 32)}_${d.text(hex, 8)}`),
  bare("prefect-key", "PREFECT_API_KEY", after("pnu_", base36, 36)),
  bare("pulumi-token", "PULUMI_ACCESS_TOKEN", after("pul-", hex, 40)),
  bare(
    "sendgrid-key",
    "SENDGRID_API_KEY",
    (d) => `SG.${d.text(base64url, 22)}.${d.text(base64url, 43)}`,
  ),
  bare(
    "tailscale-key",
    "TS_AUTHKEY",
    (d) => `tskey-auth-${d.text(base62, 12)}CNTRL-${d.text(base62, 32)}`,
  ),
  bare("supabase-key", "SUPABASE_SERVICE_KEY", after("sbp_", hex, 40)),
  bare(
    "telegram-token",
    "TELEGRAM_BOT_TOKEN",
    (d) => `${d.text("123456789", 10)}:AA${d.text(base64url, 33)}`,
  ),
  bare("notion-token", "NOTION_TOKEN", (d) => `ntn_${d.text(digit, 11)}${d.text(base62, 35)}`),
  bare("linear-key", "LINEAR_API_KEY", after("lin_api_", base62, 40)),
  bare("shopify-token", "SHOPIFY_TOKEN", (d) => d.pick(["shpat_", "shpss_"]) + d.text(hex, 32)),
  bare("openai-short-project-key", "OPENAI_API_KEY", after("sk-proj-", base62, 48)),
  bare("jwt", "SERVICE_JWT", jwt),
];
