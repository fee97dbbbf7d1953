import { openRootSync, type Root, type RootOptions } from "nopeek/paths";
import { onTestFinished } from "vitest";
import { plant, scratch } from "../support/scratch.ts";

/** A root on a planted tree, open until the test ends. */
export function rootWith(lines: readonly string[], options: RootOptions = {}): Root {
  const root = openRootSync(plant(scratch(), lines), { weak: "allow", ...options });
  onTestFinished(() => root.closeSync());
  return root;
}
