import type { Confidence, Detector, FormId, Severity } from "../detect/index.ts";
import { fingerprint as processFingerprint } from "../secrets/index.ts";
import type { Masked } from "./mask-list.ts";

/** A secret that was found and masked; it holds no value. */
export interface Finding {
  /** The name of the secret, if it has one. */
  readonly name: string | undefined;
  /** The id of the rule, where no known value was found but a format. */
  readonly rule: string | undefined;
  /** How the value was written; `format` where it is not known. */
  readonly form: FormId | "format";
  /** `strong`: the whole value, long and varied. `weak`: a short value, a part of one, or a guess. */
  readonly strength: "strong" | "weak";
  /** `exact`: a known value. The others are rules', from sure to an example value of a vendor. */
  readonly confidence: Confidence;
  /** What a rule's finding means, and how bad it is; undefined for a known value. */
  readonly detector: Detector | undefined;
  readonly severity: Severity | undefined;
  /** False for text to review, which is left as it is. */
  readonly isMasked: boolean;
  /** A keyed hash of the value; of a very long format, of its first bytes. */
  readonly fingerprint: string;
  /** Where the match begins: bytes from the start of the stream or text. */
  readonly offset: number;
}

/** @param fingerprint - For what a rule finds; a known value has its own. */
export function findingOf(
  { start, match }: Masked,
  fingerprint: (value: Uint8Array) => string = processFingerprint,
): Finding {
  if ("secret" in match) {
    const { name } = match.secret;
    const strength = match.strong ? "strong" : "weak";
    return {
      name,
      rule: undefined,
      form: match.form,
      strength,
      confidence: "exact",
      detector: undefined,
      severity: undefined,
      isMasked: true,
      fingerprint: match.secret.fingerprint,
      offset: start,
    };
  }
  const { rule, confidence, text } = match;
  return {
    name: undefined,
    rule: rule.id,
    form: "format",
    strength: confidence === "checksum" || confidence === "format" ? "strong" : "weak",
    confidence,
    detector: rule.detector,
    severity: rule.severity,
    isMasked: rule.isMasked,
    fingerprint: fingerprint(Buffer.from(text, "latin1")),
    offset: start,
  };
}
