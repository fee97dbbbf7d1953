import type { Rule, RulePack } from "./rule.ts";

/** So many characters of space, of a value and of a name are looked at: the originals have no end. */
const maxSpace = 128;
const maxValue = 600;
const maxName = 200;
const spaces = { chars: " \t\n\u000b\f\r", max: maxSpace };
const quote = { chars: "\"'", min: 1, max: 1 };
/** The match ends with the keyword. */
const nothingMore = [[{ text: "" }]] as const;

/**
 * The four checks of the policy "Security Checks for Training Monitoring", word for word. They look at
 * names and single characters, not at values, so that healthy output is full of matches: choose them
 * to follow that policy to the letter, and beside `default`, which masks what these do not see.
 */
const rules: readonly Rule[] = [
  {
    id: "seed-secret-exposure",
    title: "(api_key|token|password|secret)\\s*=\\s*[\"'][^\"']+[\"']",
    detector: "secret-exposure",
    keywords: ["api_key", "token", "password", "secret"],
    left: "any",
    shapes: [
      [
        spaces,
        { text: "=" },
        spaces,
        quote,
        { chars: "^\"'", min: 1, max: maxValue, secret: true },
        quote,
      ],
    ],
    confidence: "heuristic",
    good: ['api_key = "{a-z*1}"', "my_token='{A-Za-z0-9*20}'", 'secret\n=\n"{a-z*5} {a-z*5}"'],
    bad: ["api_key = os.environ.get({a-z*3})", 'API_KEY = "{a-z*9}"', 'token = ""', "token: 'x'"],
  },
  {
    id: "seed-credential-leak",
    title: "(AWS_|GCP_|AZURE_|MODAL_)[A-Z_]+",
    detector: "credential-leak",
    does: "report",
    keywords: ["AWS_", "GCP_", "AZURE_", "MODAL_"],
    left: "any",
    shapes: [[{ chars: "A-Z_", min: 1, max: maxName }]],
    confidence: "heuristic",
    good: ["export AWS_ACCESS_KEY_ID={A-Z*4}", "AWS_REGION", "x.MODAL_T"],
    bad: ["AWS_{a-z*4}", "modal_token", "AWS "],
  },
  {
    id: "seed-path-traversal",
    title: "\\.\\.[/\\\\]",
    detector: "path-traversal",
    severity: "warning",
    does: "report",
    keywords: ["../", "..\\"],
    left: "any",
    shapes: nothingMore,
    confidence: "heuristic",
    good: ['open("../../etc/{a-z*6}")', "..\\{a-z*3}"],
    bad: ["./{a-z*3}", "...", ".. /"],
  },
  {
    id: "seed-shell-injection",
    title: "[;&|`$()]",
    detector: "shell-injection",
    severity: "warning",
    does: "report",
    keywords: [],
    characters: ";&|`$()",
    shapes: [],
    confidence: "heuristic",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of a shell.
    good: ["rm -rf {a-z*3}; ls", "a|b", "f({a-z*2})", "${A-Z*4}"],
    bad: ["rm -rf {a-z*9}", "[x] {y} <z> 'q'"],
  },
];

export const seedRules: RulePack = { name: "seed", rules };
