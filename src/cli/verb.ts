import { parseArgs } from "node:util";
import { SecretError } from "../secrets/index.ts";

/** The streams of this process; a verb uses these and no others. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Nobody takes the output any more: do not wait for it when the verb is done. */
  readonly abandon: () => void;
  /** The verb tells itself what it could not write to standard output. */
  readonly watchesOutput: () => void;
}

/** An option as a verb declares it; the same table parses and documents it. */
export interface Option {
  /** The placeholder of its value in the help; without it the option is a switch. */
  readonly value?: string;
  readonly repeatable?: boolean;
  readonly about: string;
}

export interface Arguments {
  flag(name: string): boolean;
  value(name: string): string | undefined;
  values(name: string): readonly string[];
  /** What is not an option, before `--`. */
  readonly positionals: readonly string[];
  /** What follows `--`; null without one. */
  readonly rest: readonly string[] | null;
}

export interface Verb {
  readonly summary: string;
  /** What follows `nopeek VERB` in the usage line. */
  readonly usage: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Shown at the end of the help: how it is used. */
  readonly examples: readonly string[];
  /** @returns The exit code. */
  readonly run: (args: Arguments, streams: Streams) => Promise<number>;
}

/**
 * Reads the arguments of a verb.
 *
 * @throws SecretError `USAGE`; the message quotes the names of options and never their values.
 */
export function readArguments(verb: Verb, argv: readonly string[]): Arguments {
  const dashes = argv.indexOf("--");
  const own = dashes === -1 ? argv : argv.slice(0, dashes);
  const all: Readonly<Record<string, Option>> = { ...verb.options, help: helpOption };
  const { tokens } = parseArgs({
    args: [...own],
    options: Object.fromEntries(
      Object.entries(all).map(([name, { value }]) => [
        name,
        {
          type: value === undefined ? ("boolean" as const) : ("string" as const),
          ...(name === "help" && { short: "h" }),
        },
      ]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(all, token.name) ? all[token.name] : undefined;
    if (option === undefined) throw unknownOption(verb, token.rawName, dashes !== -1);
    checkOption(token.name, token.value, option, values);
    values.set(token.name, [...(values.get(token.name) ?? []), token.value ?? ""]);
  }
  return {
    flag: (name) => values.has(name),
    value: (name) => values.get(name)?.[0],
    values: (name) => values.get(name) ?? [],
    positionals,
    rest: dashes === -1 ? null : argv.slice(dashes + 1),
  };
}

const helpOption: Option = { about: "show this help" };

function unknownOption(verb: Verb, rawName: string, hasDashes: boolean): SecretError {
  // What was typed may be a value with a dash before it.
  const shown = /^--[a-z][a-z-]{0,30}$/.test(rawName) ? rawName : "an option";
  const mayBeOfTheCommand = !hasDashes && verb.usage.includes("-- COMMAND");
  const hint = mayBeOfTheCommand ? "see --help, and write the command after --" : "see --help";
  return new SecretError("USAGE", `${shown} is unknown; ${hint}`);
}

function checkOption(
  name: string,
  value: string | undefined,
  option: Option,
  seen: ReadonlyMap<string, unknown>,
): void {
  if (option.value === undefined && value !== undefined) {
    throw new SecretError("USAGE", `--${name} takes no value`);
  }
  if (option.value !== undefined && (value === undefined || value === "")) {
    throw new SecretError("USAGE", `--${name} needs a value: --${name} ${option.value}`);
  }
  if (seen.has(name) && option.repeatable !== true) {
    throw new SecretError("USAGE", `--${name} stands twice`);
  }
}

/** The help of a verb. */
export function helpOf(name: string, verb: Verb): string {
  const rows = Object.entries({ ...verb.options, help: helpOption }).map(
    ([option, { value, about, repeatable }]) => {
      const left = value === undefined ? `--${option}` : `--${option} ${value}`;
      return `  ${left.padEnd(28)}${about}${repeatable === true ? " (repeatable)" : ""}`;
    },
  );
  return [
    `${verb.summary}`,
    "",
    `usage: nopeek ${name} ${verb.usage}`,
    "",
    "options:",
    ...rows,
    "",
    "examples:",
    ...verb.examples.map((line) => `  ${line}`),
    "",
  ].join("\n");
}
