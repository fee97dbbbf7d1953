import { buffer } from "node:stream/consumers";
import { type ConfigRotation, type LoadedConfig, loadConfig } from "../config/index.ts";
import { type RotationResult, rotate } from "../rotate/index.ts";
import { Secret, SecretError } from "../secrets/index.ts";
import { auditOptions } from "./audit-options.ts";
import { declaringOptions } from "./declared.ts";
import { prepareRotation } from "./declared-rotation.ts";
import { readDuration } from "./duration.ts";
import { recordRotationOf } from "./rotate-audit.ts";
import { launchesWith } from "./running-launches.ts";
import type { Arguments, Streams, Verb } from "./verb.ts";

export const rotateVerb: Verb = {
  summary: "Replace a credential: make, test, make current, later revoke the old one",
  usage: "NAME [--plan | --yes] [--leaked [INCIDENT]] [options]",
  options: {
    config: declaringOptions.config,
    plan: { about: "show what would be done, and change nothing (the default)" },
    yes: { about: "do it; what is not due is not done" },
    leaked: {
      about: "rotate whatever its age, and revoke the old one at once; an incident may follow",
    },
    scope: {
      value: "PATH",
      repeatable: true,
      about: "with an incident: search here for the old value first",
    },
    overlap: { value: "TIME", about: "with --leaked: how long the old one goes on working" },
    version: { value: "ID", about: "rotate away from this version, if it is still current" },
    repair: { about: "rotate although the current credential does not work" },
    "value-stdin": { about: "take the new value of a pasted token from standard input" },
    ...auditOptions,
    json: { about: "report as one JSON document" },
  },
  examples: [
    "nopeek rotate db                        what would be done, and who uses the old one",
    "nopeek rotate db --yes                  from cron, hourly: does what is due",
    "nopeek rotate db --leaked --yes",
    "nopeek rotate db --leaked 0b9f9a57 --scope logs/ --audit ../audit --yes    what an incident is of",
    "pass show hf | nopeek rotate hf --value-stdin --yes",
  ],
  run: runRotate,
};

async function runRotate(args: Arguments, streams: Streams): Promise<number> {
  const [name, incidentId, ...more] = args.positionals;
  const isOdd = incidentId !== undefined && !args.flag("leaked");
  if (name === undefined || isOdd || more.length > 0 || args.rest !== null) {
    throw new SecretError("USAGE", "rotate takes the name of one rotation of the configuration");
  }
  if (args.flag("plan") && args.flag("yes")) {
    throw new SecretError("USAGE", "--plan changes nothing and --yes does; give one of them");
  }
  const overlap = args.value("overlap");
  if (overlap !== undefined && !args.flag("leaked")) {
    throw new SecretError(
      "USAGE",
      "--overlap goes with --leaked; otherwise the configuration says it",
    );
  }
  const config = await loadConfig({ file: args.value("config") });
  const rotation = rotationOf(config, name);
  if (args.flag("value-stdin") && rotation.target.type !== "pasted") {
    throw new SecretError(
      "USAGE",
      "--value-stdin goes with a target of type pasted; others make the value themselves",
    );
  }
  const say = (message: string) => void streams.stderr.write(`nopeek: ${message}\n`);
  await using prepared = await prepareRotation(config, rotation, {
    say,
    read: args.flag("value-stdin") ? () => readValue(streams) : undefined,
  });
  const { from, secret, target, publish } = prepared;
  if (
    args.value("version") !== undefined &&
    !from.providerOf(secret).capabilities.includes("stage")
  ) {
    throw new SecretError("USAGE", `--version: ${secret.text} is in a store without versions`);
  }
  const isApplied = args.flag("yes");
  await using recorded = await recordRotationOf({
    ...{ args, streams, config, name, reference: secret.text, incidentId, isApplied, say },
  });
  const { strategy } = target;
  const leaked = leakedOf(args, overlap);
  const leakedOverlapMs = typeof leaked === "object" ? leaked.overlapMs : 0;
  await recorded.started({
    strategy,
    overlapMs: leaked === false ? rotation.overlapMs : leakedOverlapMs,
  });
  let result: RotationResult;
  try {
    result = await rotate({
      from,
      secret,
      target,
      publish,
      minAgeMs: rotation.minAgeMs,
      overlapMs: rotation.overlapMs,
      apply: isApplied,
      leaked,
      awayFrom: args.value("version") ?? recorded.awayFrom,
      repair: args.flag("repair"),
      usedBy: async (credential) => launchesWith(credential),
      onEvent: recorded.onEvent,
    });
  } catch (error) {
    // What became of the rotation is worse than what is missing in its record.
    await recorded
      .ended(null)
      .catch((failed) =>
        say(failed instanceof SecretError ? failed.message : "not all of it was recorded"),
      );
    throw error;
  }
  await recorded.ended(result);
  const report = args.flag("json")
    ? `${JSON.stringify({ schemaVersion: 1, name, secret: secret.text, ...result }, null, 2)}\n`
    : asText(name, result);
  streams.stdout.write(report);
  return 0;
}

function leakedOf(args: Arguments, overlap: string | undefined): boolean | { overlapMs: number } {
  if (overlap === undefined) return args.flag("leaked");
  return { overlapMs: readDuration("--overlap", overlap) };
}

function rotationOf(config: LoadedConfig | null, name: string): ConfigRotation {
  const rotations = config?.rotations ?? {};
  const found = Object.hasOwn(rotations, name) ? rotations[name] : undefined;
  if (found !== undefined) return found;
  if (config === null) {
    throw new SecretError(
      "USAGE",
      "there is no nopeek.config.ts or .json here; name one with --config",
    );
  }
  const known = Object.keys(rotations).join(", ") || "none";
  throw new SecretError("CONFIG_INVALID", `${config.file} has no such rotation; it has: ${known}`);
}

async function readValue(streams: Streams): Promise<Secret> {
  const text = (await buffer(streams.stdin)).toString("utf8").replace(/\r?\n$/, "");
  if (text.trim() !== "") return new Secret(text);
  throw new SecretError(
    "ROTATION_REFUSED",
    "standard input holds no value; pipe the new one into it",
  );
}

const reasons = {
  young: "the current credential is younger than minAgeMs",
  overlap: "the one before still works until its overlap is over",
} as const;

function asText(name: string, result: RotationResult): string {
  const { outcome, why, version, previous, revokeAtMs, gap, usedBy, steps, reminder } = result;
  const now =
    version === undefined
      ? "and the new credential is in the store"
      : `version ${version} is current`;
  const said: Record<RotationResult["outcome"], string> = {
    planned: `${name}: due; nothing was changed, --yes does this:`,
    rotated: `${name}: rotated, ${now}`,
    superseded: `${name}: nothing was done: another rotation was faster, ${now}`,
    ended: `${name}: ended what an earlier run left`,
    fresh: `${name}: nothing is due${why === undefined ? "" : `; ${reasons[why]}`}`,
    busy: `${name}: another rotation is at work; nothing was done`,
  };
  const isPlan = outcome === "planned";
  const lines = [said[outcome]];
  if (isPlan && version !== undefined) lines.push(`  current: version ${version}`);
  steps.forEach(({ step, text }, index) => {
    lines.push(`  ${isPlan ? `${index + 1}. ` : ""}${step.padEnd(8)}${text}`);
  });
  if (isPlan && gap !== undefined) lines.push(`  gap: ${gap}`);
  if (previous !== undefined && revokeAtMs !== undefined) {
    const leftMs = revokeAtMs - Date.now();
    const when =
      leftMs <= 0 ? "by the next run" : `by a run after ${new Date(revokeAtMs).toISOString()}`;
    lines.push(`  version ${previous} still works, and is revoked ${when}`);
  }
  for (const user of usedBy) lines.push(`  uses the old one: ${user}`);
  if (usedBy.length > 0 && outcome !== "planned") {
    lines.push("  who still uses it is refused once it is revoked: start it again");
  }
  if (reminder !== undefined) lines.push(`  to do: ${reminder}`);
  return `${lines.join("\n")}\n`;
}
