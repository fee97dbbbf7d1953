/** Launches on the test server, and collects what they wrote. */
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type LaunchOptions, type LaunchResult, type Leak, launch } from "nopeek/launch";
import { expect } from "vitest";
import { type ModalRuntimeOptions, modalRuntime } from "../../../../adapters/modal/index.ts";
import { valuesIn } from "../../../support/modal.ts";

export const basic = { app: "train", image: "python:3.12-slim", timeoutMs: 60_000 } as const;

/** The backend follows from the GPU. */
export const backends = [
  ["V2", {}],
  ["V1", { gpu: "T4" }],
] as const;

export const runtime = (options: Partial<ModalRuntimeOptions> = {}) =>
  modalRuntime({ ...basic, ...options });

export interface Run extends LaunchResult {
  readonly out: string;
  readonly err: string;
  readonly bytes: Buffer;
  readonly notices: readonly string[];
  readonly leaks: readonly Leak[];
}

/**
 * Runs a launch to its end. Nothing that it gives or throws may hold a value that the test made.
 *
 * @param onFirst - Called at the first output.
 * @param shown - What the job may print all the same.
 */
export async function run(
  options: Omit<LaunchOptions, "output">,
  onFirst: () => unknown = () => undefined,
  shown: readonly string[] = [],
): Promise<Run> {
  const outcome = await collect(options, onFirst).catch((error: unknown) => error);
  expect(valuesIn(outcome).filter((value) => !shown.includes(value))).toEqual([]);
  if (outcome instanceof Error) throw outcome;
  return outcome as Run;
}

async function collect(
  options: Omit<LaunchOptions, "output">,
  onFirst: () => unknown,
): Promise<Run> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  stdout.once("data", () => void onFirst());
  const collected = [buffer(stdout), buffer(stderr)] as const;
  const notices: string[] = [];
  const leaks: Leak[] = [];
  const result = await launch({
    onNotice: (notice) => void notices.push(notice),
    onLeak: (leak) => void leaks.push(leak),
    // A line for each leak is the monitor's own business.
    monitor: { onLeak: "redact" },
    ...options,
    output: { stdout, stderr },
  });
  stdout.end();
  stderr.end();
  const [out, err] = await Promise.all(collected);
  return { ...result, out: out.toString(), err: err.toString(), bytes: out, notices, leaks };
}

export const shell = (script: string) => ["sh", "-c", script];
