import { createRedactor, type Redactor } from "../redact/index.ts";

let own: Redactor | undefined;

/**
 * The redactor of the drop-ins that are given none: one for all, so that the forms of the process's
 * secrets are kept once. Records are whole, so values cut by line breaks are not looked for.
 */
export function ownRedactor(): Redactor {
  own ??= createRedactor({ unwrap: false });
  return own;
}
