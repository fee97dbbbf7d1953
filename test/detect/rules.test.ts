import { SecretError } from "nopeek";
import { createRuleSet, defaultRules, type Rule } from "nopeek/detect";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { fromTemplate } from "../support/templates.ts";
import { randomToken } from "../support/values.ts";

const redactor = createRedactor({ secrets: [] });
const rulesIn = (text: string) => redactor.find(text).map(({ rule }) => rule);

/** Random text is rarely so monotonous that a rule's demand for variety refuses it. */
const times = 20;

describe.each(defaultRules.rules)("$id", (rule: Rule) => {
  const alone = createRedactor({ secrets: [], rules: [{ name: "one", rules: [rule] }] });
  const surroundings = ["*", "* ", "\n*\n", "x=*;", "(*)", "[*]", "<*>", "\x1b[33m*\x1b[0m"];

  it.each(rule.good)("finds %s", (template) => {
    let missed = 0;
    for (let i = 0; i < times; i++) {
      for (const around of surroundings) {
        const text = around.replace("*", fromTemplate(template));
        if (alone.find(text)[0]?.rule !== rule.id) missed++;
      }
    }
    expect(missed).toBeLessThan(surroundings.length * 2);
  });

  it.each(rule.bad)("leaves %s", (template) => {
    for (let i = 0; i < times; i++) expect(alone.find(fromTemplate(template))).toEqual([]);
  });
});

describe("confidence", () => {
  const confidenceOf = (text: string) => redactor.find(text)[0]?.confidence;

  it("is checksum where one is right, and heuristic where it is wrong", () => {
    // A token from npm's announcement of the format, which says that it is no real one.
    const random = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ";
    expect(confidenceOf(["npm", `${random}0mLq17`].join("_"))).toBe("checksum");
    expect(confidenceOf(["ghp", `${random}0mLq17`].join("_"))).toBe("checksum");
    expect(confidenceOf(["ghp", `${random}0mLq18`].join("_"))).toBe("heuristic");
  });

  it("is placeholder for what vendors write in examples", () => {
    expect(confidenceOf(`AKIA${"IOSFODNN7"}EXAMPLE`)).toBe("placeholder");
    expect(confidenceOf(`ghp_${"x".repeat(36)}`)).toBe("placeholder");
    expect(() => redactor.assertClean(`AKIA${"IOSFODNN7"}EXAMPLE`)).not.toThrow();
    expect(() => redactor.assertClean(fromTemplate("AKIA{A-Z2-7*16}"))).toThrow(
      "aws-access-key-id",
    );
  });
});

it("masks the secret part and nothing else", () => {
  const cases: Record<string, string> = {
    "postgresql://svc:{a-z0-9*9}@db:5432/x": "postgresql://svc:[REDACTED:url-password]@db:5432/x",
    "Authorization: Bearer {A-Za-z0-9*20}\n":
      "Authorization: Bearer [REDACTED:authorization-header]\n",
    'api_key = "{A-Z*8}{a-z*8}{0-9*8}", 1': 'api_key = "[REDACTED:key-assignment]", 1',
    '\\"api_key\\": \\"{A-Z*8}{a-z*8}{0-9*8}\\"}':
      '\\"api_key\\": \\"[REDACTED:key-assignment]\\"}',
    "a ghp_{A-Za-z0-9*36}.": "a [REDACTED:github-token].",
    "-----BEGIN EC PRIVATE KEY-----\n{A-Za-z0-9*64}\n-----END EC PRIVATE KEY-----\nstep":
      "[REDACTED:private-key]\nstep",
  };
  for (const [template, expected] of Object.entries(cases)) {
    expect(redactor.redact(fromTemplate(template))).toBe(expected);
  }
});

it("finds a token behind escapes and colours that end in a letter", () => {
  const token = fromTemplate("hf_{A-Za-z*34}");
  for (const before of [
    "\\n",
    "\\t",
    "%3D",
    "\\u003d",
    "\x1b[33m",
    "\x1b[1;38;5;9m",
    "\\u001b[33m",
  ]) {
    expect(rulesIn(before + token), before).toEqual(["huggingface-token"]);
  }
  for (const before of ["n", "m", "3D", "a", "_", "-", "x%3Dn"])
    expect(rulesIn(before + token)).toEqual([]);
});

it("leaves healthy output alone", () => {
  const hex = randomToken("", 1).replace(/./, "0123456789abcdef0123456789abcdef01234567");
  const lines = [
    "pip install sk-learn-contrib-py sk-learn-extra-for-tests",
    "task-12 done, disk-0 full, risk-adjusted as-is, was-ok",
    "eos_token: </s> pad_token = \"<|endoftext|>\" unk_token='[UNK]'",
    "max_tokens=4096 tokens: 123456 tokenizer: fast token: null token = None",
    'password: "$VAR" password: "{{ var }}" secret: ""',
    `commit ${hex} sha256:${hex}`,
    "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "Serving on http://localhost:8080/ and https://example.com:443/a@b",
    "git clone git@github.com:org/repo.git https://user@host/x",
    "Authorization: Bearer $TOKEN",
    'modal.Secret.from_name("my-secrets") MODAL_TASK_ID=ta-01 AWS_REGION=us-east-1',
    'tokenizer = "bert-base-uncased-v2" "token_type_ids": "int64-tensor"',
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
    "100%|##########| 9/9 [00:01<00:00, 12.3it/s, loss=0.1]",
  ];
  for (const line of lines) expect(redactor.redact(line)).toBe(line);
});

describe("packs", () => {
  const acme: Rule = {
    id: "acme-token",
    title: "Acme",
    keywords: ["acme_"],
    shapes: [[{ chars: "A-Za-z0-9", min: 32, max: 32 }]],
    good: [],
    bad: [],
  };
  const pack = (rule: unknown) => [{ name: "acme", rules: [rule] }] as never;

  it("come from JSON, and take the place of the default rules", () => {
    const rules = JSON.parse(JSON.stringify([{ name: "acme", rules: [acme] }])) as never;
    const own = createRedactor({ secrets: [], rules });
    const text = fromTemplate("acme_{a-z*32} ghp_{A-Za-z0-9*36}");
    expect(own.redact(text)).toBe(`[REDACTED:acme-token]${text.slice(37)}`);
    const both = createRedactor({ secrets: [], rules: [defaultRules, ...rules] });
    expect(both.redact(text)).toBe("[REDACTED:acme-token] [REDACTED:github-token]");
    expect(createRuleSet([])).toBeNull();
    expect(createRuleSet("none")).toBeNull();
  });

  it.each<[string, unknown]>([
    ["an id that would break the mask", { ...acme, id: "a]b" }],
    ["a keyword of two bytes", { ...acme, keywords: ["ab"] }],
    ["no keyword", { ...acme, keywords: [] }],
    ["a keyword beyond ASCII", { ...acme, keywords: ["äbc"] }],
    ["no shape", { ...acme, shapes: [] }],
    ["an empty shape", { ...acme, shapes: [[]] }],
    ["a regular expression", { ...acme, shapes: [[{ regex: "(a+)+$" }]] }],
    ["a key that is unknown", { ...acme, pattern: "(a+)+$" }],
    [
      "a run without an end",
      { ...acme, shapes: [[{ chars: "a-z", max: Number.POSITIVE_INFINITY }]] },
    ],
    [
      "more reach than is linear",
      { ...acme, left: "any", shapes: [[{ chars: "a-z", max: 5000 }]] },
    ],
    ["an unknown check", { ...acme, checks: ["eval"] }],
    ["examples that are no list", { ...acme, good: null }],
    ["an example of ten thousand braces", { ...acme, bad: ["{".repeat(10_000)] }],
    [
      "a secret part behind a mark inside of it",
      {
        ...acme,
        before: { chars: "a-z", min: 1, max: 9 },
        shapes: [[{ text: "=" }, { chars: "a-z", max: 9, secret: true }]],
      },
    ],
    [
      "characters and a detector that there is not",
      { ...acme, keywords: [], shapes: [], characters: "(", does: "report", detector: "nope" },
    ],
    ["no object", null],
  ])("are refused with %s", (_, rule) => {
    let error: unknown;
    try {
      createRedactor({ secrets: [], rules: pack(rule) });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SecretError);
    expect((error as SecretError).code).toBe("RULE_INVALID");
  });
});
