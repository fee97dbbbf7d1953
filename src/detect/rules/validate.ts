import { SecretError } from "../../secrets/index.ts";
import { maxSteps } from "./attempt.ts";
import { byteClass, hasEmptyRange } from "./byte-class.ts";
import { checkNames } from "./checks.ts";
import { detectors, severities } from "./detectors.ts";
import type { Rule, RulePack, Step } from "./rule.ts";

/** A rule whose keyword may stand anywhere is tried that often: it may not read far each time. */
const maxReachAnywhere = 1024;
const maxReach = 128 * 1024;
const maxKeywordBytes = 32;
const minKeywordBytes = 3;
const maxRules = 1000;
const maxShapes = 16;
const maxAfterBytes = 16;
const maxBeforeBytes = 128;
const maxExampleChars = 4096;

/**
 * Checks packs, which may come from a file, before they are compiled.
 *
 * @throws SecretError `RULE_INVALID`, which names the rule and what is wrong with it.
 */
export function checkPacks(packs: unknown): readonly RulePack[] {
  if (!Array.isArray(packs)) throw invalid("rules", 'it is "default", "none" or a list of packs');
  const checked = (packs as unknown[]).map((pack, index) => {
    const where = `pack ${index + 1}`;
    if (!isObject(pack) || typeof pack["name"] !== "string" || !Array.isArray(pack["rules"])) {
      throw invalid(where, "it has a name and a list of rules");
    }
    const rules = pack["rules"] as unknown[];
    for (const rule of rules) checkRule(rule, where);
    return pack as unknown as RulePack;
  });
  if (checked.reduce((sum, { rules }) => sum + rules.length, 0) > maxRules) {
    throw invalid("rules", `there are more than ${maxRules}`);
  }
  return checked;
}

function checkRule(given: unknown, pack: string): void {
  if (!isObject(given)) throw invalid(pack, "a rule is an object");
  const { id } = given;
  if (typeof id !== "string" || !/^[a-z][a-z0-9-]{0,63}$/.test(id)) {
    throw invalid(pack, "the id of a rule has lower-case letters, digits and -");
  }
  for (const key of Object.keys(given)) {
    if (!knownKeys.has(key))
      throw invalid(id, `${/^\w{1,32}$/.test(key) ? key : "a key"} is unknown`);
  }
  const rule = given as unknown as Rule;
  const { keywords, shapes, checks = [], left = "token", before, characters } = rule;
  for (const [key, values] of Object.entries(choices)) {
    const value = given[key];
    if (value !== undefined && !values.includes(value as string)) {
      throw invalid(id, `${key} is ${values.join(", ")}`);
    }
  }
  if (!["undefined", "boolean"].includes(typeof rule.ignoreCase)) {
    throw invalid(id, "ignoreCase is true or false");
  }
  for (const chars of [rule.notAfter, rule.notBefore]) {
    if (chars !== undefined && !isClass(chars))
      throw invalid(id, "notAfter and notBefore are characters");
  }
  for (const texts of [rule.unlessAfter, rule.onlyAfter]) {
    if (texts !== undefined && !isTexts(texts)) {
      throw invalid(id, `unlessAfter and onlyAfter are texts of up to ${maxAfterBytes} characters`);
    }
  }
  if (before !== undefined && !isBefore(before)) {
    throw invalid(id, `before is { chars, min, max } with max up to ${maxBeforeBytes}`);
  }
  if (characters === undefined) checkParts(rule, left);
  else {
    const isAlone = isList(keywords) && isList(shapes) && keywords.length + shapes.length === 0;
    if (!isClass(characters) || rule.does !== "report" || !isAlone) {
      throw invalid(id, "a rule of characters reports, and has no keywords and no shapes");
    }
  }
  if (!isList(checks) || !checks.every(isCheck)) throw invalid(id, "one of its checks is unknown");
  for (const texts of [rule.good, rule.bad]) {
    if (texts !== undefined && !isExamples(texts)) {
      throw invalid(id, `good and bad are lists of texts of up to ${maxExampleChars} characters`);
    }
  }
}

/** Keywords, and what follows them. */
function checkParts(rule: Rule, left: string): void {
  const { id, keywords, shapes, before } = rule;
  if (!isList(keywords) || keywords.length === 0 || !keywords.every(isKeyword)) {
    throw invalid(
      id,
      `its keywords have ${minKeywordBytes} to ${maxKeywordBytes} printable ASCII characters`,
    );
  }
  if (!isList(shapes) || shapes.length === 0 || shapes.length > maxShapes) {
    throw invalid(id, `it has 1 to ${maxShapes} shapes`);
  }
  for (const steps of shapes) {
    checkShape(steps, rule, left);
    if (before !== undefined && steps.some(({ secret }) => secret === true)) {
      throw invalid(id, "with before the whole match is the secret: no step is marked as secret");
    }
  }
}

/** Keys that take one of a few words. */
const choices: Readonly<Record<string, readonly string[]>> = {
  left: ["token", "any"],
  confidence: ["format", "heuristic"],
  does: ["mask", "report"],
  detector: Object.keys(detectors),
  severity: severities,
};

const knownKeys: ReadonlySet<string> = new Set([
  "id",
  "title",
  "keywords",
  "ignoreCase",
  "left",
  "notAfter",
  "unlessAfter",
  "onlyAfter",
  "before",
  "characters",
  "detector",
  "severity",
  "does",
  "shapes",
  "notBefore",
  "checks",
  "confidence",
  "good",
  "bad",
]);

function checkShape(steps: unknown, { id, keywords }: Rule, left: string): void {
  if (!isList(steps) || steps.length === 0 || steps.length > maxSteps) {
    throw invalid(id, `a shape has 1 to ${maxSteps} steps`);
  }
  for (const step of steps) {
    if (!isStep(step)) throw invalid(id, "a step is { text } or { chars, max }");
  }
  const reach = (steps as Step[]).reduce((sum, step) => sum + reachOf(step), 0);
  if (reach > maxReach) throw invalid(id, `a shape takes ${maxReach} bytes at most`);
  // A run that the next keyword ends is read once, however long it is.
  const endsAtKeyword = (step: Step) =>
    !("text" in step) &&
    step.until !== undefined &&
    keywords.every((one) => one.startsWith(step.until ?? ""));
  const reachTwice = (steps as Step[]).reduce(
    (sum, step) => sum + (endsAtKeyword(step) ? 0 : reachOf(step)),
    0,
  );
  if (left === "any" && reachTwice > maxReachAnywhere) {
    throw invalid(id, `with left "any" a shape takes ${maxReachAnywhere} bytes at most`);
  }
}

function reachOf(step: Step): number {
  return "text" in step ? 64 : step.max;
}

function isStep(step: unknown): step is Step {
  if (!isObject(step)) return false;
  const { text, chars, min = 0, max, until } = step;
  if (text !== undefined) {
    const texts = isList(text) ? text : [text];
    return (
      texts.length > 0 &&
      texts.length <= 64 &&
      texts.every((one) => typeof one === "string" && one.length <= 64)
    );
  }
  const isUntil =
    until === undefined || (typeof until === "string" && until.length > 0 && until.length <= 64);
  return isClass(chars) && isCount(min) && isCount(max) && max > 0 && min <= max && isUntil;
}

function isCheck(check: unknown): boolean {
  if (isObject(check)) {
    const { entropy, contains } = check;
    return typeof entropy === "number" || (typeof contains === "string" && contains.length > 0);
  }
  return (checkNames as readonly unknown[]).includes(check);
}

function isExamples(texts: unknown): boolean {
  return (
    isList(texts) &&
    texts.every((text) => typeof text === "string" && text.length <= maxExampleChars)
  );
}

function isTexts(texts: unknown): boolean {
  return (
    isList(texts) &&
    texts.length <= 256 &&
    texts.every(
      (text) => typeof text === "string" && text.length > 0 && text.length <= maxAfterBytes,
    )
  );
}

function isBefore(before: unknown): boolean {
  if (!isObject(before)) return false;
  const { chars, min, max } = before;
  return isClass(chars) && isCount(min) && isCount(max) && min <= max && max <= maxBeforeBytes;
}

function isKeyword(text: unknown): boolean {
  const isPrintable = typeof text === "string" && /^[\x20-\x7e]+$/.test(text);
  return isPrintable && text.length >= minKeywordBytes && text.length <= maxKeywordBytes;
}

function isClass(chars: unknown): boolean {
  return (
    typeof chars === "string" &&
    chars.length > 0 &&
    chars.length <= 256 &&
    !/[^\0-\xff]/.test(chars) &&
    byteClass(chars).includes(1) &&
    !hasEmptyRange(chars)
  );
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(where: string, what: string): SecretError {
  return new SecretError("RULE_INVALID", `${where}: ${what}`);
}
