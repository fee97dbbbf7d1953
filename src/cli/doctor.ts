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
    "nopeek doctor                         0: nothing is left, 1: something is",
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
  for (const runtime of runtimes) {
    const options = { ...runtime.options, ...(app !== undefined && { app }) };
    const found = (await findLeftovers({ ...runtime, options })) ?? [];
    rows.push(...(await Promise.all(found.map((one) => treat(runtime, one, args)))));
  }
  if (args.flag("json")) {
    streams.stdout.write(`${JSON.stringify({ schemaVersion: 1, jobs: rows }, null, 2)}\n`);
  } else {
    streams.stdout.write(asText(rows));
  }
  return rows.some(isLeft) ? exitCodes.findings : 0;
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

function asText(rows: readonly Row[]): string {
  const lines = rows.map(({ runtime, sandboxId, runId, launcher, ended }) => {
    return `${ended ? "ended" : "runs "}  ${runtime}  ${sandboxId}  run ${runId}  ${meanings[launcher]}`;
  });
  const left = rows.filter(isLeft).length;
  lines.push(
    left === 0 ? "nothing is left behind" : `${left} left behind; end with: nopeek doctor --end`,
  );
  return `${lines.join("\n")}\n`;
}
