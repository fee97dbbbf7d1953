import type { Rule, Step } from "../rule.ts";

/** What tokens of vendors begin with, also in examples that are too short to be one. */
const vendorPrefix: Step = {
  text: "sk- ghp_ gho_ ghs_ github_pat_ glpat- hf_ AKIA ASIA ak- as- xoxb- xoxp- npm_ pypi- r8_ gsk_ AIza dapi".split(
    " ",
  ),
  secret: true,
};

/** Names of cloud credentials; of other names the value decides. */
const cloudNames = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK",
  "AZURE_CLIENT_SECRET",
  "AZURE_STORAGE_KEY",
  "AZURE_STORAGE_ACCOUNT_KEY",
  "AZURE_STORAGE_CONNECTION_STRING",
  "AZURE_STORAGE_SAS_TOKEN",
  "AZURE_OPENAI_API_KEY",
  "AZURE_OPENAI_KEY",
  "AZURE_API_KEY",
  "AZURE_PASSWORD",
  "GCP_API_KEY",
  "GCP_SA_KEY",
  "GCP_SERVICE_ACCOUNT_KEY",
  "GCP_CREDENTIALS",
  "GOOGLE_API_KEY",
  "GOOGLE_CLIENT_SECRET",
  "MODAL_TOKEN_ID",
  "MODAL_TOKEN_SECRET",
  "MODAL_KEY",
  "MODAL_SECRET",
];

/**
 * The two checks for secrets of the policy "Security Checks for Training Monitoring", with values
 * looked at: names alone, references, special tokens and templates are none.
 */
export const policy: readonly Rule[] = [
  {
    id: "secret-exposure",
    title: "api_key, token, password or secret = a text in quotes with a vendor's prefix",
    keywords: ["api_key", "token", "password", "secret"],
    left: "any",
    shapes: [
      [
        { chars: " \t", max: 16 },
        { text: "=" },
        { chars: " \t", max: 16 },
        { chars: "\\", max: 4 },
        { chars: "\"'", min: 1, max: 1 },
        vendorPrefix,
        { chars: "A-Za-z0-9_-", min: 8, max: 400, secret: true },
        { chars: "\"'\\", min: 1, max: 1 },
      ],
    ],
    confidence: "heuristic",
    good: ['api_key = "sk-{0-9*10}"', "token = 'ghp_{x-x*12}'", 'hf_token="hf_{a-z*20}"'],
    bad: ['token = "<s>"', 'api_key = os.environ.get("API_KEY")', 'token = "sk-{a-z*4}"'],
  },
  {
    id: "credential-leak",
    title: "the name of a cloud's credential = a literal value",
    detector: "credential-leak",
    keywords: cloudNames,
    shapes: [
      [
        { chars: " ", max: 2 },
        { text: "=" },
        { chars: " ", max: 2 },
        { chars: "\\", max: 4 },
        { chars: "\"'", max: 1 },
        { chars: "^\u0000-\u0020\u007f\"'\\,;)}]&", min: 3, max: 800, secret: true },
      ],
    ],
    checks: ["value"],
    confidence: "heuristic",
    good: [
      "export MODAL_TOKEN_ID=xxx",
      "AWS_ACCESS_KEY_ID=AKIA{A-Z2-7*9}EXAMPLE",
      'AZURE_CLIENT_SECRET="{a-z*8}-{0-9*4}"',
    ],
    bad: [
      "MODAL_TASK_ID=ta-{A-Za-z0-9*22}",
      "AWS_REGION=us-east-1",
      "export AWS_SECRET_ACCESS_KEY=$SECRET",
      "MODAL_TOKEN_ID=",
      "AWS_ACCESS_KEY_ID=None",
      "AWS_SECRET_ACCESS_KEY=***",
      "set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET",
      'MODAL_TOKEN_ID=os.environ["X"]',
    ],
  },
];
