import { SecretError } from "../secrets/index.ts";
import type { Arguments, Option } from "./verb.ts";

/** `--hold`: what a pause in the output may show of what may become a match. */
export const holdOption: Option = {
  value: "strict|pause",
  about: "strict: show no byte before it is decided",
};

/** @throws SecretError `USAGE`. */
export function readHold(args: Arguments): "strict" | "pause" | undefined {
  const hold = args.value("hold");
  if (hold === undefined || hold === "strict" || hold === "pause") return hold;
  throw new SecretError("USAGE", "--hold takes strict or pause");
}
