import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { packsByName, type RuleChoice, readRulePack } from "../detect/index.ts";
import { SecretError } from "../secrets/index.ts";

const maxPackBytes = 1024 * 1024;

/**
 * Takes names of packs (`default`, `review`, `seed`) and JSON files with packs. All are looked for
 * beside the default rules, unless `none` is among them.
 *
 * @param base - The folder that relative files are in.
 * @throws SecretError `RULE_INVALID` for a file that cannot be read or is no pack.
 *
 * @example
 * readRuleChoice(["acme-rules.json"], process.cwd()); // the default rules and Acme's
 */
export function readRuleChoice(names: readonly string[], base: string): RuleChoice {
  const added = names.filter((name) => name !== "none" && name !== "default");
  const isAlone = names.includes("none") && !names.includes("default");
  if (added.length === 0) return isAlone ? "none" : "default";
  const known = isAlone ? [] : ["default"];
  return [...known, ...added].map((name) =>
    Object.hasOwn(packsByName, name)
      ? (packsByName[name] as NonNullable<(typeof packsByName)[string]>)
      : readRulePack(textOf(name, base)),
  );
}

function textOf(name: string, base: string): string {
  const file = resolve(base, name);
  try {
    if (statSync(file).size > maxPackBytes) {
      throw new SecretError("RULE_INVALID", "a file of rules has more than 1 MiB");
    }
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof SecretError) throw error;
    const { code = "no detail" } = error as NodeJS.ErrnoException;
    const packs = Object.keys(packsByName).join(", ");
    throw new SecretError(
      "RULE_INVALID",
      `a file of rules cannot be read (${code}); packs without a file are none, ${packs}`,
    );
  }
}
