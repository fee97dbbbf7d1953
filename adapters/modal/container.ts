/** Inside a Modal container: Modal has put the values of named secrets into the environment. */
import { type ReadOutcome, type Reference, SecretError } from "../../src/secrets/index.ts";
import { keyedTargetOf } from "./target.ts";

/** The variables of an environment. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Whether this process runs in a sandbox or function of Modal; both set variables of their own. */
export function insideModal(vars: Variables): boolean {
  return (vars["MODAL_TASK_ID"] ?? "") !== "" || vars["MODAL_IS_REMOTE"] === "1";
}

/** Reads the variable of each reference's key. Which secret it came from cannot be told any more. */
export function readVariables(references: readonly Reference[], vars: Variables): ReadOutcome[] {
  return references.map((reference) => {
    try {
      const { key } = keyedTargetOf(reference, undefined);
      const value = Object.hasOwn(vars, key) ? vars[key] : undefined;
      if (value === undefined || value === "") return null;
      return { value, origin: "the environment of the Modal container" };
    } catch (error) {
      if (error instanceof SecretError) return error;
      throw error;
    }
  });
}
