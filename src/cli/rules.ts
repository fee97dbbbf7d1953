import { SecretError } from "../secrets/index.ts";
import type { Arguments, Option } from "./verb.ts";

/** `--rules`: whether text that has the format of a credential is masked too. */
export const rulesOption: Option = {
  value: "default|none",
  about: "none: mask the declared values only, not what looks like a credential",
};

/** @throws SecretError `USAGE`. */
export function readRules(args: Arguments): "default" | "none" | undefined {
  const rules = args.value("rules");
  if (rules === undefined || rules === "default" || rules === "none") return rules;
  throw new SecretError("USAGE", "--rules takes default or none");
}
