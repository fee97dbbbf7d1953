/**
 * What a format rule is. A rule is data: it can stand in a JSON file, and whatever it says, looking
 * for it takes time linear in the text. There are no regular expressions and no backtracking.
 */

/**
 * How sure a finding is: a known value; a format with a checksum that is right; a format; a guess
 * from names and variety; an example value of a vendor.
 */
export type Confidence = "exact" | "checksum" | "format" | "heuristic" | "placeholder";

/**
 * What a finding is about, and what is recommended for it. The first two are secrets, the others
 * text to review.
 */
export type Detector = "secret-exposure" | "credential-leak" | "path-traversal" | "shell-injection";

/** How bad a finding is, the worst first. */
export type Severity = "critical" | "high" | "warning" | "review";

/** Rules that belong together, such as those of a team. */
export interface RulePack {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/**
 * A format of credentials: a keyword, then steps that each take what they can and give nothing back.
 *
 * @example
 * const acme: Rule = {
 *   id: "acme-token",
 *   title: "Acme access token",
 *   keywords: ["acme_"],
 *   shapes: [[{ chars: "A-Za-z0-9", min: 32, max: 32 }]],
 *   notBefore: "A-Za-z0-9_",
 *   good: ["acme_{A-Za-z0-9*32}"],
 *   bad: ["acme_{A-Za-z0-9*31}"],
 * };
 */
export interface Rule {
  /** Stands in the mask: lower-case letters, digits and `-`. */
  readonly id: string;
  readonly title: string;
  /** What a match begins with: 3 to 32 printable ASCII characters each. */
  readonly keywords: readonly string[];
  /** Characters each of which is a match, wherever it stands; only for a rule that reports. */
  readonly characters?: string;
  /** What a match means (default: `secret-exposure`). */
  readonly detector?: Detector;
  /** How bad a match is (default: what is usual for the detector). */
  readonly severity?: Severity;
  /** `report`: a match is told, and its text left as it is (default: `mask`). */
  readonly does?: "mask" | "report";
  /** Upper and lower case of the keywords and of texts are the same (default: false). */
  readonly ignoreCase?: boolean;
  /**
   * `token` (default): no letter, digit, `_` or `-` stands before the keyword; escapes (`\n`, `%3D`,
   * colours) are none of these. `any`: whatever stands there.
   */
  readonly left?: "token" | "any";
  /** Further characters that may not stand before the keyword. */
  readonly notAfter?: string;
  /** Texts of up to 16 characters that may not stand before the keyword; their case is ignored. */
  readonly unlessAfter?: readonly string[];
  /**
   * Texts of up to 16 characters one of which must stand before the keyword, with at most one `_`,
   * `-`, `.` or space between; their case is ignored.
   */
  readonly onlyAfter?: readonly string[];
  /**
   * Characters of the secret that stand before the keyword: a mark inside of it. In a stream those
   * that were written before the mark came stay visible.
   */
  readonly before?: { readonly chars: string; readonly min: number; readonly max: number };
  /** Ways in which the match goes on behind the keyword; none for a rule of `characters`. */
  readonly shapes: readonly (readonly Step[])[];
  /** Characters that may not follow the match. */
  readonly notBefore?: string;
  /** What else must be true of the secret part. */
  readonly checks?: readonly Check[];
  /** How sure a match is that passes the checks (default: `format`). */
  readonly confidence?: "format" | "heuristic";
  /**
   * Templates of text that holds the format, and that does not: `{A-Z*16}` is 16 random characters,
   * see `expandTemplate`.
   */
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

/** A rule where it is found: of every rule the same properties, so that reading one is quick. */
export interface FoundRule {
  readonly id: string;
  /** The text that stands in place of a match. */
  readonly mask: string;
  readonly detector: Detector;
  readonly severity: Severity;
  /** Whether its matches are masked, or only told. */
  readonly isMasked: boolean;
}

/** A match of a rule. */
export interface RuleMatch {
  readonly rule: FoundRule;
  readonly confidence: Confidence;
  /** The secret part, a character for each byte; of an overlong one its first bytes. */
  readonly text: string;
}

/** A step takes a run of characters, or one of some texts. */
export type Step = RunStep | TextStep;

export interface RunStep {
  /** A class as in `A-Za-z0-9_-`; with `^` first, all bytes but these. A `-` stands first or last. */
  readonly chars: string;
  /** Fewer characters are no match (default: 0). */
  readonly min?: number;
  /** It takes no more than these. */
  readonly max: number;
  /** The secret part is from the first step with this mark to the last; without one, all of it. */
  readonly secret?: boolean;
  /** It ends behind this text. Without it the match ends where the run does, and counts all the same. */
  readonly until?: string;
}

export interface TextStep {
  /** One of these; `""` among them makes the step optional. What began must go on. */
  readonly text: string | readonly string[];
  readonly secret?: boolean;
}

/**
 * - `{ entropy }`: at least so many bits a byte (Shannon).
 * - `{ contains }`: this text occurs.
 * - `mixed-case`: both cases occur, behind a prefix such as `hf_`.
 * - `letter-and-digit`: both kinds occur.
 * - `uncommon`: no number, word, path, variable or placeholder of a template.
 * - `crc32`: the last 6 characters are the base62 CRC-32 of the 30 before (GitHub, npm). A wrong one
 *   makes the finding a `heuristic`.
 * - `gitlab-crc32`: the last 7 characters are the base36 CRC-32 of all before; without a dot there is none.
 * - `random`: no words, names, versions, paths or times that are joined by signs, no `Qwen2ForCausalLM`.
 * - `varied`: letters, and a digit or a sign beside them; no name of a type such as `Str50Type`.
 * - `literal`: no reference, template, call, special token or other code in the place of a value.
 * - `value`: as `literal`, but invitations such as `your-key` and `xxx` are values.
 * - `basic`: base64 of `user:password`.
 * - `json`: base64 that begins with a JSON object.
 * - `jwt`: begins with the base64url of a JSON object that names an algorithm.
 */
export type Check =
  | { readonly entropy: number }
  | { readonly contains: string }
  | "mixed-case"
  | "letter-and-digit"
  | "uncommon"
  | "random"
  | "varied"
  | "literal"
  | "value"
  | "basic"
  | "json"
  | "crc32"
  | "gitlab-crc32"
  | "jwt";
