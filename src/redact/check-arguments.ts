/** What a redactor is given by programs without types. No message holds a value. */
import type { ObjectLimits } from "./masker.ts";

const wrap = "wrap a value first: new Secret(value, { name })";

/** @throws TypeError for what are no options. */
export function checkOptions(options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`createRedactor() takes options such as { secrets: [secret] }; ${wrap}`);
  }
  if (isSecret(options)) {
    throw new TypeError("createRedactor() takes options: { secrets: [secret] }");
  }
  const secrets: unknown = Reflect.get(options, "secrets");
  if (secrets === undefined) return;
  const isList = typeof secrets === "object" && secrets !== null && Symbol.iterator in secrets;
  if (!isList) throw new TypeError(`"secrets" takes a list of secrets; ${wrap}`);
}

/**
 * A secret of another copy of the package will do.
 *
 * @throws TypeError for what is no secret.
 */
export function checkSecret(secret: unknown): void {
  if (!isSecret(secret)) throw new TypeError(`a redactor takes secrets; ${wrap}`);
}

/** @throws TypeError for what is no limit, as nothing would be walked, or without end. */
export function checkLimits(limits: ObjectLimits | undefined): void {
  if (limits === undefined) return;
  if (typeof limits !== "object" || limits === null) {
    throw new TypeError("the limits are given as { maxDepth, maxNodes }");
  }
  for (const name of ["maxDepth", "maxNodes"] as const) {
    const limit: unknown = limits[name];
    if (limit === undefined || limit === Number.POSITIVE_INFINITY) continue;
    if (!Number.isInteger(limit) || (limit as number) < 0) {
      throw new TypeError(`"${name}" takes a whole number from 0`);
    }
  }
}

/** @throws TypeError for a way of holding that there is not. */
export function checkHold(hold: unknown): void {
  if (hold === undefined || hold === "pause" || hold === "strict") return;
  throw new TypeError('"hold" takes "pause" or "strict"');
}

function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && "revealBytes" in value;
}
