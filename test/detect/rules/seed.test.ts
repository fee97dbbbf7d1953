import { readRuleChoice } from "nopeek/config";
import { seedRules } from "nopeek/detect";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { drawFrom } from "../../support/corpora/draw.ts";

/** The policy's examples, word for word; those like credentials are put together from parts. */
const bad: readonly (readonly [detector: string, line: string])[] = [
  ["secret-exposure", `api_key = "${"sk"}-1234567890"`],
  ["secret-exposure", `token = "${"ghp"}_xxxxxxxxxxxx"`],
  ["credential-leak", `export AWS_ACCESS_KEY_ID=${"AKIA"}IOSFODNN7EXAMPLE`],
  ["credential-leak", "export MODAL_TOKEN_ID=xxx"],
  ["path-traversal", 'open("../../etc/passwd")'],
  ["shell-injection", 'os.system(f"rm -rf {user_input}")'],
];
const good: readonly string[] = [
  'api_key = os.environ.get("API_KEY")',
  'modal.Secret.from_name("my-secrets")',
  'safe_path = Path("/data") / "cats" / filename',
  "from pathlib import Path",
  'subprocess.run(["rm", "-rf", safe_path])',
  '@app.function(secrets=[modal.Secret.from_name("my-secrets")])',
  '    api_key = os.environ["API_KEY"]  # Safe',
  'export API_KEY="your-key-here"',
  'modal.Secret.from_dotenv("my-secrets")',
  'volume = modal.Volume.from_name("data")',
  '@app.function(volumes={"/data": volume})',
];
const severities: Readonly<Record<string, string>> = {
  "credential-leak": "critical",
  "secret-exposure": "high",
};

describe("the policy's examples, scoped", () => {
  const redactor = createRedactor({ secrets: [], rules: readRuleChoice(["review"], ".") });

  it.each(bad)("%s fires on %s", (detector, line) => {
    const found = redactor.find(line);
    expect(found.map((finding) => finding.detector)).toContain(detector);
    const isSecret = detector in severities;
    expect(redactor.redact(line) !== line).toBe(isSecret);
    for (const finding of found) {
      expect(finding.severity).toBe(severities[finding.detector ?? ""] ?? "review");
      // An example or a guess halts nothing and must not stop a prompt.
      expect(["heuristic", "placeholder"]).toContain(finding.confidence);
    }
  });

  it("takes a vendor's example for a placeholder, and reports it all the same", () => {
    const [, , [, example] = []] = bad;
    expect(redactor.find(example ?? "")[0]?.confidence).toBe("placeholder");
  });

  it.each(good)("is silent on %s", (line) => {
    expect(redactor.find(line)).toEqual([]);
    expect(redactor.redact(line)).toBe(line);
  });
});

describe("the policy's patterns, word for word", () => {
  const verbatim = createRedactor({ secrets: [], rules: [seedRules], unwrap: false });
  const originals: Readonly<Record<string, RegExp>> = {
    "seed-secret-exposure": /(api_key|token|password|secret)\s*=\s*["'][^"']+["']/,
    "seed-credential-leak": /(AWS_|GCP_|AZURE_|MODAL_)[A-Z_]+/,
    "seed-path-traversal": /\.\.[/\\]/,
    "seed-shell-injection": /[;&|`$()]/,
  };
  const fires = (text: string) => {
    const rules = new Set(verbatim.find(text).map(({ rule }) => rule));
    return Object.keys(originals).filter((rule) => rules.has(rule));
  };
  const expected = (text: string) =>
    Object.entries(originals).flatMap(([rule, pattern]) => (pattern.test(text) ? [rule] : []));

  it.each(bad)("%s fires on %s", (detector, line) => {
    expect(fires(line)).toContain(`seed-${detector}`);
    expect(fires(line)).toEqual(expected(line));
  });

  it("agree with their originals on random text", () => {
    const draw = drawFrom(11);
    const parts =
      "api_key|token|password|secret| |\t|\n|=|\"|'|a|Z|_|AWS_|GCP_|AZURE_|MODAL_|A|B|..|/|\\\\|.|;|&|`|$|(|)|x1".split(
        "|",
      );
    let fired = 0;
    for (let i = 0; i < 3000; i++) {
      const text = Array.from({ length: 1 + draw.below(12) }, () =>
        draw.pick([...parts, "|"]),
      ).join("");
      expect(fires(text), JSON.stringify(text)).toEqual(expected(text));
      if (expected(text).length > 0) fired++;
    }
    expect(fired).toBeGreaterThan(500);
  });

  it("mask a value, and leave names, paths and signs as they are", () => {
    expect(verbatim.redact('token = "abc"; cat ../x $AWS_REGION')).toBe(
      'token = "[REDACTED:seed-secret-exposure]"; cat ../x $AWS_REGION',
    );
  });
});
