import type { Rule, RulePack, Step } from "./rule.ts";

const alphanumeric = "A-Za-z0-9";
const word = "A-Za-z0-9_";
const base64url = "A-Za-z0-9_-";

const exactly = (chars: string, count: number): Step => ({ chars, min: count, max: count });

/** What stands between a name and its quoted value, also in JSON that is quoted in JSON. */
const assigned: readonly Step[] = [
  { chars: "\\", max: 4 },
  { chars: "\"'", max: 1 },
  { chars: " \t", max: 4 },
  { text: [":=", "=>", "=", ":"] },
  { chars: " \t", max: 4 },
  { chars: "\\", max: 4 },
  { chars: "\"'`", min: 1, max: 1 },
];
/** `api_key` and `api_key_prod`, but not `api_keyboard`. */
const named = (value: Step): readonly (readonly Step[])[] => [
  [...assigned, value],
  [{ chars: "_-", min: 1, max: 1 }, { chars: base64url, max: 24 }, ...assigned, value],
];

/** Formats of code hosts, models, clouds and registries; their sources stand in each title. */
const tokens: readonly Rule[] = [
  {
    id: "github-token",
    title: "GitHub token (docs.github.com, authentication)",
    keywords: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    shapes: [[{ chars: alphanumeric, min: 36, max: 255 }]],
    notBefore: word,
    checks: ["crc32"],
    good: ["ghp_{A-Za-z0-9*36}", "ghs_{A-Za-z0-9*36}"],
    bad: ["ghp_{A-Za-z0-9*20}", "xghp_{A-Za-z0-9*36}"],
  },
  {
    id: "github-app-token",
    title: "GitHub installation token with a JWT (2026)",
    keywords: ["ghs_"],
    shapes: [
      [
        { chars: "0-9", min: 1, max: 20 },
        { text: "_ey" },
        { chars: base64url, min: 10, max: 2000 },
        { text: ".ey" },
        { chars: base64url, min: 10, max: 10_000 },
        { text: "." },
        { chars: base64url, min: 20, max: 1000 },
      ],
    ],
    good: ["ghs_{0-9*7}_ey{A-Za-z0-9*30}.ey{A-Za-z0-9*90}.{A-Za-z0-9*43}"],
    bad: ["ghs_{0-9*7}_{A-Z*20}"],
  },
  {
    id: "github-fine-grained-token",
    title: "GitHub fine-grained personal access token",
    keywords: ["github_pat_"],
    shapes: [[exactly(alphanumeric, 22), { text: "_" }, exactly(alphanumeric, 59)]],
    notBefore: word,
    good: ["github_pat_{A-Za-z0-9*22}_{A-Za-z0-9*59}"],
    bad: ["github_pat_{A-Za-z0-9*22}"],
  },
  {
    id: "openai-key",
    title: "OpenAI API key (platform.openai.com)",
    keywords: ["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-service-"],
    shapes: [[{ chars: base64url, min: 40, max: 300 }]],
    checks: ["letter-and-digit", { entropy: 3.5 }],
    good: ["sk-proj-{A-Za-z0-9*48}", "sk-admin-{A-Za-z0-9*58}T3BlbkFJ{A-Za-z0-9*58}"],
    bad: ["sk-proj-{a-z*12}", "risk-proj-{A-Za-z0-9*48}"],
  },
  {
    id: "anthropic-key",
    title: "Anthropic API key (docs.anthropic.com)",
    keywords: ["sk-ant-"],
    shapes: [
      [
        { chars: "a-z", min: 3, max: 8 },
        exactly("0-9", 2),
        { text: "-" },
        { chars: base64url, min: 80, max: 128 },
      ],
    ],
    notBefore: base64url,
    good: ["sk-ant-api03-{A-Za-z0-9*93}AA", "sk-ant-admin01-{A-Za-z0-9*93}AA"],
    bad: ["sk-ant-api03-{a-z*10}"],
  },
  {
    id: "sk-key",
    title: "key that begins with sk-, as of OpenAI until 2024 and many compatible services",
    keywords: ["sk-"],
    notAfter: "/.",
    shapes: [[{ chars: alphanumeric, min: 20, max: 100 }]],
    notBefore: base64url,
    checks: ["letter-and-digit", { entropy: 3.5 }],
    good: ["sk-{A-Za-z0-9*48}", "sk-{A-Za-z0-9*20}T3BlbkFJ{A-Za-z0-9*20}"],
    bad: ["sk-learn-{a-z*20}", "task-{A-Za-z0-9*48}"],
  },
  {
    id: "aws-access-key-id",
    title: "AWS access key id (IAM user guide, identifiers)",
    keywords: ["AKIA", "ASIA", "ABIA", "ACCA"],
    shapes: [[exactly("A-Z2-7", 16)]],
    notBefore: word,
    checks: [{ entropy: 3 }],
    good: ["AKIA{A-Z2-7*16}", "ASIA{A-Z2-7*16}"],
    bad: ["AKIA{A-Z2-7*15}", "AKIA{A-Z2-7*17}", "XAKIA{A-Z2-7*16}"],
  },
  {
    id: "huggingface-token",
    title: "Hugging Face access token (huggingface.co/docs/hub/security-tokens)",
    keywords: ["hf_", "api_org_"],
    shapes: [[exactly(alphanumeric, 34)]],
    notBefore: word,
    checks: ["mixed-case", { entropy: 3 }],
    good: ["hf_{A-Za-z*34}", "api_org_{A-Za-z*34}"],
    bad: ["hf_{a-z*34}", "hf_{A-Za-z*33}", "shf_{A-Za-z*34}"],
  },
  {
    id: "gitlab-token",
    title: "GitLab token (docs.gitlab.com, token prefixes)",
    keywords: ["glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "glsoat-", "glft-", "glagent-"],
    shapes: [[{ chars: base64url, min: 20, max: 300 }]],
    checks: [{ entropy: 3 }],
    good: ["glpat-{A-Za-z0-9_*20}", "glrt-{A-Za-z0-9*40}"],
    bad: ["glpat-{a-z*12}"],
  },
  {
    id: "modal-token",
    title: "Modal token id or secret (modal.com/docs, token)",
    keywords: ["ak-", "as-", "wk-", "ws-"],
    notAfter: "/.",
    shapes: [[exactly(alphanumeric, 22)]],
    notBefore: base64url,
    checks: ["mixed-case", { entropy: 3.2 }],
    good: ["ak-{A-Za-z0-9*22}", "as-{A-Za-z0-9*22}"],
    bad: ["as-{a-z*22}", "as-{A-Za-z0-9*23}", "was-{A-Za-z0-9*22}"],
  },
];

const structures: readonly Rule[] = [
  {
    id: "private-key",
    title: "private key in PEM (RFC 7468), also with escaped line breaks",
    keywords: ["-----BEGIN "],
    left: "any",
    shapes: [
      [
        {
          text: [
            "",
            "RSA ",
            "EC ",
            "DSA ",
            "OPENSSH ",
            "ENCRYPTED ",
            "SSH2 ENCRYPTED ",
            "PGP ",
          ].map((kind) => `${kind}PRIVATE KEY`),
        },
        { text: ["-----", " BLOCK-----"] },
        // Ends at the END line, at a byte that stands in no key, or at the length of the largest.
        { chars: "A-Za-z0-9+/=:,.\"' \\\t\r\n|>#*-", max: 16_384, until: "-----" },
        { chars: "A-Z0-9 ", max: 48 },
        { chars: "-", max: 5 },
      ],
    ],
    good: [
      "-----BEGIN RSA PRIVATE KEY-----\n{A-Za-z0-9*64}\n{A-Za-z0-9*40}\n-----END RSA PRIVATE KEY-----",
    ],
    bad: ["-----BEGIN CERTIFICATE-----\n{A-Za-z0-9*64}\n-----END CERTIFICATE-----"],
  },
  {
    id: "jwt",
    title: "JSON Web Token (RFC 7519)",
    keywords: ["eyJ"],
    notAfter: ".",
    shapes: [
      [
        { chars: base64url, min: 10, max: 2000 },
        { text: ".eyJ" },
        { chars: base64url, min: 10, max: 65_536 },
        { text: "." },
        { chars: base64url, min: 16, max: 2000 },
      ],
    ],
    checks: ["jwt"],
    good: ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{A-Za-z0-9*30}.{A-Za-z0-9_*43}"],
    bad: ["eyJ{A-Za-z0-9*30}.eyJ{A-Za-z0-9*30}.{A-Za-z0-9*43}", "eyJhbGciOiJIUzI1NiJ9.{A-Z*30}"],
  },
  {
    id: "url-password",
    title: "password in a URL (RFC 3986, userinfo)",
    keywords: ["://"],
    left: "any",
    shapes: [
      [
        { chars: "^\u0000-\u0020\u007f:/?#@\"'<>`\\", max: 80 },
        { text: ":" },
        { chars: "^\u0000-\u0020\u007f/@\"'<>`\\", min: 3, max: 256, secret: true },
        { text: "@" },
      ],
    ],
    checks: ["uncommon"],
    good: ["postgresql://svc:{a-z0-9*9}@db:5432/x", "https://:{A-Za-z0-9*20}@host/x"],
    bad: ["http://localhost:8080/{a-z*5}@x", "postgres://u:$PASSWORD@db/x", "https://host/{a-z*9}"],
  },
  {
    id: "authorization-header",
    title: "value of an Authorization header (RFC 9110)",
    keywords: ["authorization", "proxy-authorization", "http_authorization"],
    ignoreCase: true,
    shapes: [
      [
        { chars: "\\", max: 4 },
        { chars: "\"'", max: 1 },
        { chars: " \t", max: 4 },
        { text: [":", "=", "=>"] },
        { chars: " \t", max: 4 },
        { chars: "\\", max: 4 },
        { chars: "\"'", max: 1 },
        { text: ["Bearer ", "bearer ", "Basic ", "basic ", "Token ", "token "] },
        { chars: " ", max: 4 },
        { chars: "A-Za-z0-9._~+/=-", min: 16, max: 8192, secret: true },
      ],
    ],
    good: ["Authorization: Bearer {A-Za-z0-9*20}", '"authorization":"Basic {A-Za-z0-9*24}=="'],
    bad: ["Authorization: Bearer $TOKEN", "Authorization: {A-Za-z0-9*20}"],
  },
  {
    id: "bearer-token",
    title: "bearer token (RFC 6750)",
    keywords: ["Bearer ", "bearer "],
    shapes: [
      [
        { chars: " ", max: 4 },
        { chars: "A-Za-z0-9._~+/=-", min: 16, max: 8192, secret: true },
      ],
    ],
    checks: ["letter-and-digit", { entropy: 3 }],
    good: ["Bearer {A-Za-z*10}{0-9*10}", "bearer {A-Za-z*10}{0-9*10}"],
    bad: ["Bearer of-bad-news-and-more", "Bearer {0-9*10}"],
  },
];

const assignments: readonly Rule[] = [
  {
    id: "password-assignment",
    title: "quoted value of a name such as password",
    keywords: ["password", "passwd", "passphrase"],
    ignoreCase: true,
    left: "any",
    shapes: named({ chars: "^\u0000-\u0020\u007f\"'`\\", min: 8, max: 512, secret: true }),
    checks: [{ entropy: 2 }, "uncommon"],
    confidence: "heuristic",
    good: [
      'password = "{A-Za-z0-9*12}"',
      "DB_PASSWORD: '{A-Za-z0-9*9}-'",
      '"password":"{A-Za-z0-9*12}"',
    ],
    bad: [
      'password: "$DB_PASSWORD"',
      'password = "<your password>"',
      "passwords = 12",
      'password: ""',
    ],
  },
  {
    id: "secret-assignment",
    title: "quoted value of a name such as api_key, token or secret",
    keywords: [
      "api_key",
      "apikey",
      "api-key",
      "access_key",
      "accesskey",
      "secret_key",
      "secretkey",
      "private_key",
      "auth_key",
      "secret",
      "token",
      "credential",
    ],
    ignoreCase: true,
    left: "any",
    shapes: named({ chars: "^\u0000-\u0020\u007f\"'`\\", min: 16, max: 512, secret: true }),
    checks: ["letter-and-digit", { entropy: 3 }, "uncommon"],
    confidence: "heuristic",
    good: [
      'api_key = "{A-Z*8}{a-z*8}{0-9*8}"',
      "HF_TOKEN='{A-Z*8}{a-z*8}{0-9*8}'",
      '\\"api_key\\": \\"{A-Z*8}{a-z*8}{0-9*8}\\"',
      'client_secret_2: "{A-Z*8}{a-z*8}{0-9*8}"',
    ],
    bad: [
      'tokenizer = "bert-{a-z*8}-2"',
      'pad_token: "<|endoftext|>"',
      'token = "null"',
      'secret: "arn:aws:secretsmanager:{0-9*12}"',
    ],
  },
];

/** The formats that are known without configuration. */
export const defaultRules: RulePack = {
  name: "default",
  rules: [...tokens, ...structures, ...assignments],
};
