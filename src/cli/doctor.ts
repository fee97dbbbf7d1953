import { loadConfig } from "../config/index.ts";
import { SecretError } from "../secrets/index.ts";
import { exitCodes } from "./exit-codes.ts";
import { findLeftovers, type Leftover, type Named, namedRuntime, searchable } from "./runtimes.ts";
import type { Arguments, Streams, Verb } from "./verb.ts";

export const doctor: Verb = {
  summary: "Find jobs that run on although their launcher is gone, and end them",
  usage: "[options]",
  options: {
    config: { value: "FILE", about: "configuration (default: ./nopeek.config.ts or .json)" },
    on: { value: "RUNTIME", about: "look at this runtime only" },
    app: { value: "NAME", about: "the app of a Modal runtime (default: nopeek)" },
    end: { about: "end the jobs whose launcher is gone" },
    all: { about: "with --end: also those that were launched on other machines" },
    json: { about: "report as one JSON document" },
  },
  examples: [
    "nopeek doctor         0: nothing is left, 1: something is, 2: there is no such app",
    "nopeek doctor --end",
    "nopeek doctor --on modal --app train --json",
  ],
  run: runDoctor,
};

/** What became of a job that was found. */
interface Row {
  readonly runtime: string;
  readonly sandboxId: string;
  readonly runId: string;
  readonly launcher: "running" | "gone" | "elsewhere";
  readonly ended: boolean;
}

/** An app that does not exist: nothing was launched there, or its name is wrong. */
interface Missing {
  readonly runtime: string;
  readonly app: string;
}

async function runDoctor(args: Arguments, streams: Streams): Promise<number> {
  if (args.positionals.length > 0 || args.rest !== null) {
    throw new SecretError("USAGE", "doctor takes options only");
  }
  if (args.flag("all") && !args.flag("end")) throw new SecretError("USAGE", "--all needs --end");
  const config = await loadConfig({ file: args.value("config") });
  const on = args.value("on");
  const app = args.value("app");
  const runtimes = on === undefined ? searchable(config) : [namedRuntime(on, config)];
  const rows: Row[] = [];
  const missing: Missing[] = [];
  for (const runtime of runtimes) {
    const options = { ...runtime.options, ...(app !== undefined && { app }) };
    const found = await findLeftovers({ ...runtime, options });
    if (found === null) {
      missing.push({ runtime: runtime.name, app: String(options["app"] ?? "nopeek") });
      continue;
    }
    rows.push(...(await Promise.all(found.map((one) => treat(runtime, one, args)))));
  }
  if (args.flag("json")) {
    const report = { schemaVersion: 1, jobs: rows, missingApps: missing };
    streams.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    streams.stdout.write(asText(rows, missing));
  }
  if (rows.some(isLeft)) return exitCodes.findings;
  // One that was named must be there; that of a configuration is made by its first launch.
  return missing.length > 0 && app !== undefined ? exitCodes.couldNotLook : 0;
}

async function treat(runtime: Named, job: Leftover, args: Arguments): Promise<Row> {
  const { sandboxId, runId, isAttended } = job;
  const launcher = isAttended === null ? "elsewhere" : isAttended ? "running" : "gone";
  const isMeant = launcher === "gone" || (launcher === "elsewhere" && args.flag("all"));
  const isToEnd = args.flag("end") && isMeant;
  if (isToEnd) await job.end();
  return { runtime: runtime.name, sandboxId, runId, launcher, ended: isToEnd };
}

function isLeft({ launcher, ended }: Row): boolean {
  return launcher === "gone" && !ended;
}

const meanings: Readonly<Record<Row["launcher"], string>> = {
  running: "its launcher runs",
  gone: "its launcher is gone",
  elsewhere: "launched on another machine",
};

function asText(rows: readonly Row[], missing: readonly Missing[]): string {
  const lines = rows.map(({ runtime, sandboxId, runId, launcher, ended }) => {
    return `${ended ? "ended" : "runs "}  ${runtime}  ${sandboxId}  run ${runId}  ${meanings[launcher]}`;
  });
  for (const { runtime, app } of missing) {
    lines.push(
      `${runtime}: there is no app ${app}; nothing was launched in it yet, or --app names another`,
    );
  }
  const left = rows.filter(isLeft).length;
  if (left > 0) lines.push(`${left} left behind; end with: nopeek doctor --end`);
  else if (missing.length === 0) lines.push("nothing is left behind");
  return `${lines.join("\n")}\n`;
}
