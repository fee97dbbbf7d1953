import type { Rule } from "../rule.ts";
import {
  asFlag,
  assigned,
  inAnyNotation,
  keySuffix,
  passwordChars,
  run,
  suffix,
} from "./notations.ts";
import { base64, exactly, hex } from "./parts.ts";

/** What kind of key it is: `cache_key` and `sort_key` are none of these. */
const keyOwners = [
  ..."api access account secret private auth storage encryption signing master license service".split(
    " ",
  ),
  ..."subscription sharedaccess shared_access ssh hmac webhook admin deploy client consumer application".split(
    " ",
  ),
  ..."wandb kaggle comet cohere openai azure mistral groq anthropic gemini huggingface hf databricks".split(
    " ",
  ),
  ..."pinecone replicate together neptune clearml nvidia ngc runpod supabase datadog algolia jwt mlflow".split(
    " ",
  ),
  ..."stripe sendgrid twilio mailgun firebase sentry newrelic heroku openrouter deepseek xai langsmith".split(
    " ",
  ),
];
/** Places in lists, pieces of text, and what Kubernetes annotates with a hash: no credentials. */
const otherTokens = [
  "checksum/",
  ..."next_ next- next page_ page continuation continuation_ idempotency_ client_request_ pad_ eos_ bos_".split(
    " ",
  ),
  ..."unk_ sep_ cls_ mask_ image_ special_ added_ audio_ start_ end_ stop_ first_ last_ prev_ previous_ sync_".split(
    " ",
  ),
];

/** Values next to a name that says what they are. */
export const assignments: readonly Rule[] = [
  {
    id: "aws-secret-access-key",
    title: "AWS secret access key: 40 characters of base64 next to its name",
    detector: "credential-leak",
    keywords: [
      "secret_access_key",
      "secretaccesskey",
      "secret-access-key",
      "aws_secret_key",
      "aws_secret",
    ],
    ignoreCase: true,
    left: "any",
    shapes: [
      [
        { chars: "\\", max: 4 },
        { chars: "\"'`", max: 1 },
        { chars: "])", max: 2 },
        { chars: " \t", max: 8 },
        { text: [":=", "=>", "==", "=", ":", ">", ""] },
        { chars: " \t", max: 8 },
        { chars: "\\", max: 4 },
        { chars: "\"'`", max: 1 },
        { ...exactly(base64, 40), secret: true },
      ],
    ],
    notBefore: `${base64}=_`,
    checks: ["letter-and-digit", { entropy: 3.7 }],
    good: [
      "AWS_SECRET_ACCESS_KEY={A-Za-z0-9+/*40}",
      'aws_secret_access_key = "{A-Za-z0-9+/*40}"',
      '"SecretAccessKey": "{A-Za-z0-9/*40}"',
      "--aws-secret-access-key {A-Za-z0-9*40}",
    ],
    bad: ["AWS_SECRET_ACCESS_KEY={A-Za-z0-9*39}", "aws_secret_access_key = {a-z*40}"],
  },
  {
    id: "password-assignment",
    title: "value of a name such as password",
    keywords: ["password", "passwd", "passphrase", "passwort"],
    ignoreCase: true,
    left: "any",
    shapes: inAnyNotation(suffix, run(6, 400, passwordChars)),
    checks: ["uncommon", "literal", "varied", { entropy: 2 }],
    confidence: "heuristic",
    good: [
      'password = "{a-z*6}{0-9*2}"',
      "DB_PASSWORD: '{A-Za-z0-9*9}-1'",
      '"password":"{A-Za-z*9}7{a-z*3}"',
      "PGPASSWORD={a-z*5}-{0-9*3}",
      "password=Blue{0-9*2}Horse",
    ],
    bad: [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of a shell.
      'password: "${DB_PASSWORD}"',
      'password = "<your password>"',
      "passwords = 12",
      'password: ""',
      "password = getpass.getpass()",
      "password: str = None",
      "password=os.environ['X1']",
      "password_hash = {a-f0-9*40}",
    ],
  },
  {
    id: "short-password-assignment",
    title: "value of a name such as pwd or db_pass; the working directory is none",
    keywords: ["pwd", "pass"],
    onlyAfter: [
      ..." ; \" ' , ( [ { & ? \n \t db user mysql smtp admin root pg postgres redis mongo ftp ldap mail ssh my sql"
        .split(" ")
        .filter((text) => text !== ""),
      " ",
    ],
    ignoreCase: true,
    left: "any",
    shapes: [
      [
        { chars: "\"'", max: 1 },
        { chars: " ", max: 2 },
        { text: ["=", ":"] },
        { chars: " ", max: 2 },
        { chars: "\"'{", max: 1 },
        { chars: "^\u0000-\u0020\u007f\"'`;,&<>\\/~.$%", min: 1, max: 1, secret: true },
        { chars: "^\u0000-\u0020\u007f\"'`;,&<>)\\}/", min: 5, max: 200, secret: true },
      ],
    ],
    checks: ["uncommon", "literal", "varied", "letter-and-digit", { entropy: 2 }],
    confidence: "heuristic",
    good: ["Uid=svc;Pwd={A-Za-z*8}{0-9*4};Encrypt=yes", "DB_PASS={a-z*6}{0-9*3}"],
    bad: [
      "PWD=/root/{a-z*6}1",
      "OLDPWD=/home/x1",
      "forward_pass=12.5ms",
      "first pass: epoch-{0-9*2}",
    ],
  },
  {
    id: "secret-assignment",
    title: "value of a name such as token or secret",
    keywords: ["secret", "token", "credential", "credentials"],
    // The type of a resource in an ARN.
    notAfter: ":",
    unlessAfter: otherTokens,
    ignoreCase: true,
    left: "any",
    shapes: [...inAnyNotation(suffix, run(12, 480), run(16, 480)), ...asFlag(run(16, 480))],
    checks: ["uncommon", "literal", "random", { entropy: 3 }],
    confidence: "heuristic",
    good: [
      "HF_TOKEN='{A-Z*4}{0-9*4}{a-z*8}{0-9*4}'",
      "--hf-token {A-Z*4}{0-9*4}{a-z*8}{0-9*4}",
      'client_secret_2: "{A-Z*4}{0-9*4}{a-z*8}{0-9*4}"',
      "ACCESS_TOKEN={A-Za-z0-9*36}7b",
      "name: HF_TOKEN\n  value: {A-Za-z0-9*36}7b",
    ],
    bad: [
      'tokenizer = "bert-{a-z*8}-2"',
      'pad_token: "<|endoftext|>"',
      'token = "null"',
      'secret: "arn:aws:secretsmanager:{0-9*12}"',
      "token = get_token(x1)",
      "secret: my-training-secret-v2",
      "--hf-token $HF_TOKEN",
      "--pad-token bert-base-uncased-v2",
      "next_token={A-Za-z0-9*40}",
      "checksum/secret: {a-f0-9*64}",
      "token_count: 123456789012345678",
    ],
  },
  {
    id: "key-assignment",
    title: "value of a name such as api_key or encryption_key",
    keywords: ["key"],
    onlyAfter: keyOwners,
    ignoreCase: true,
    left: "any",
    shapes: [...inAnyNotation(keySuffix, run(12, 480), run(16, 480)), ...asFlag(run(16, 480))],
    checks: ["uncommon", "literal", "random", { entropy: 3 }],
    confidence: "heuristic",
    good: [
      'api_key = "{A-Z*4}{0-9*4}{a-z*8}{0-9*4}"',
      '\\"api_key\\": \\"{A-Z*4}{0-9*4}{a-z*8}{0-9*4}\\"',
      "AccountKey={A-Za-z0-9+*80}7b==;",
      "x-api-key: {a-f0-9*30}7b",
      "--api-key {a-f0-9*30}7b",
      "api_key: str = '{a-f0-9*30}7b'",
    ],
    bad: [
      "cache_key: {a-f0-9*40}",
      "primary_key = {a-z*20}_1",
      "api_key = os.environ['API_KEY_1234567890']",
      "api key model.layers.12.self_attn.k_proj",
      "public_key: {A-Za-z0-9*40}",
    ],
  },
  {
    id: "password-flag",
    title: "value of an option such as --password",
    keywords: ["-password", "-passwd", "-passphrase"],
    ignoreCase: true,
    left: "any",
    shapes: asFlag(run(8, 480)),
    checks: ["uncommon", "literal", "varied", "letter-and-digit", { entropy: 2.5 }],
    confidence: "heuristic",
    good: ["--password {A-Za-z*7}{0-9*2}{a-z*4}{0-9*2}", "--db-password '{a-z*7}{0-9*2}{A-Z*4}'"],
    bad: ["--password $DB_PASSWORD", "--password-file /run/x1", "--password is-required"],
  },
  {
    id: "hex-key-assignment",
    title: "hexadecimal digits next to the name of a tracker: W&B, Kaggle, Comet",
    keywords: ["wandb_api_key", "wandb_key", "kaggle_key"],
    ignoreCase: true,
    left: "any",
    shapes: [
      [
        ...assigned,
        { chars: "\\", max: 4 },
        { chars: "\"'", max: 1 },
        { chars: hex, min: 25, max: 64, secret: true },
      ],
    ],
    good: ["WANDB_API_KEY={a-f0-9*40}", "kaggle_key: '{a-f0-9*32}'"],
    bad: ["WANDB_API_KEY={a-f0-9*8}"],
  },
];
