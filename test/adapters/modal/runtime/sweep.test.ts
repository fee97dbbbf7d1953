/** Many jobs at once on Modal, with a service that throttles and fails. */
import { PassThrough } from "node:stream";
import { Secret } from "nopeek";
import { type LaunchManyOptions, launchMany } from "nopeek/launch";
import { describe, expect, it } from "vitest";
import { randomToken } from "../../../support/values.ts";
import { useModalServer } from "../harness.ts";
import { backends, runtime, shell } from "./support.ts";

const used = useModalServer();
const token = randomToken("hf_");

async function sweep(options: Omit<LaunchManyOptions, "output" | "secrets">) {
  const chunks: Buffer[] = [];
  const sink = () => new PassThrough().on("data", (chunk: Buffer) => void chunks.push(chunk));
  const results = await launchMany({
    ...options,
    secrets: { HF_TOKEN: new Secret(token, { name: "HF_TOKEN" }) },
    output: { stdout: sink(), stderr: sink() },
  });
  return { results, out: Buffer.concat(chunks).toString() };
}

const stored = () =>
  used.server.calls.filter(
    ({ method, request }) => method === "SecretGetOrCreate" && request["objectCreationType"] === 5,
  ).length;

describe.each(backends)("%s", (backend, extra) => {
  it("200 jobs with random throttling and failures: each is accounted for", async () => {
    const create = backend === "V2" ? "SandboxCreateV2" : "SandboxCreate";
    for (let i = 0; i < 30; i++) {
      used.server.fault(create, {
        delayMs: Math.random() * 50,
        times: 1 + Math.floor(Math.random() * 5),
      });
      if (i % 3 === 0)
        used.server.fault(create, { status: "RESOURCE_EXHAUSTED", retryAfterMs: 20 });
      if (i % 3 === 1) used.server.fault(create, { status: "UNAVAILABLE" });
      if (i % 3 === 2) used.server.fault(create, { breaks: "reset" });
      if (i % 6 === 2) used.server.fault(create, { status: "RESOURCE_EXHAUSTED" });
      if (i % 10 === 9) used.server.fault(create, { status: "PERMISSION_DENIED" });
    }
    const jobs = Array.from({ length: 200 }, (_, i) => ({
      name: `job-${i}`,
      env: { NUMBER: String(i), CODE: String(i % 4) },
    }));
    const before = { stored: stored(), sandboxes: used.server.sandboxes().length };
    let most = 0;
    const { results, out } = await sweep({
      on: runtime({ ...extra, shim: "off" }),
      command: shell('echo "number $NUMBER $HF_TOKEN"; exit $CODE'),
      jobs,
      concurrency: 16,
      onProgress: ({ running }) => {
        most = Math.max(most, running);
      },
    });
    expect(results).toHaveLength(200);
    const failed = results.filter(({ status }) => status === "failed");
    expect(failed.length).toBeLessThan(10);
    for (const one of failed) expect(one).toMatchObject({ code: "SECRET_ACCESS_DENIED" });
    results.forEach((one, i) => {
      expect(one.name).toBe(`job-${i}`);
      if (one.status !== "ended") return;
      expect(one.result).toMatchObject({ endedBy: "exit", exitCode: i % 4, outputLost: false });
      expect(out).toContain(`number ${i} [REDACTED:HF_TOKEN]\n`);
    });
    expect(most).toBe(16);
    expect(out).not.toContain(token);
    expect(stored() - before.stored).toBe(backend === "V1" ? 1 : 0);
    const made = used.server.sandboxes().slice(before.sandboxes);
    expect(made.every(({ exitCode }) => exitCode !== null)).toBe(true);
    expect(made).toHaveLength(200 - failed.length);
  }, 120_000);

  it("stops the rest within 3 s when one is halted", async () => {
    let haltedAt = 0;
    const { results } = await sweep({
      on: runtime({ ...extra, shim: "off" }),
      jobs: [
        ...Array.from({ length: 11 }, (_, i) => ({
          name: `patient-${i}`,
          command: shell("echo works; exec sleep 60"),
        })),
        {
          name: "careless",
          command: shell('sleep 1; echo "$HF_TOKEN is the token"; exec sleep 60'),
        },
        { name: "late", command: shell("exec sleep 60") },
      ],
      concurrency: 12,
      stopOnHalt: true,
      monitor: { onLeak: "halt" },
      onLeak: () => {
        haltedAt ||= performance.now();
      },
    });
    expect(performance.now() - haltedAt).toBeLessThan(3000);
    expect(
      results.map((one) => (one.status === "ended" ? one.result.endedBy : one.status)),
    ).toEqual([
      ...Array.from({ length: 11 }, () => "abort"),
      "halt",
      expect.stringMatching(/^(?:skipped|abort)$/),
    ]);
    expect(used.server.sandboxes().every(({ exitCode }) => exitCode !== null)).toBe(true);
  }, 60_000);
});

it("ends what was made although the answer was lost", async () => {
  const before = used.server.sandboxes().length;
  used.server.fault("SandboxCreateV2", { status: "UNAVAILABLE", afterEffect: true, times: 4 });
  const { results } = await sweep({
    on: runtime({ shim: "off" }),
    jobs: [{ name: "lost", command: shell("exec sleep 60") }],
    concurrency: 1,
  });
  expect(results[0]).toMatchObject({ status: "failed", code: "SECRET_UNREACHABLE" });
  const made = used.server.sandboxes().slice(before);
  expect(made.length).toBeGreaterThan(0);
  expect(made.every(({ exitCode }) => exitCode === 137)).toBe(true);
});

it("gives up a start that waits for a place, and leaves nothing behind", async () => {
  const before = used.server.sandboxes().length;
  used.server.fault("SandboxGetTaskId", { breaks: "hang", times: 50 });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 500);
  const begun = performance.now();
  const { results } = await sweep({
    on: runtime({ gpu: "H100", shim: "off" }),
    jobs: [{ name: "queued", command: shell("exec sleep 60") }],
    concurrency: 1,
    signal: stop.signal,
  });
  used.server.clearFaults();
  expect(results).toEqual([{ name: "queued", status: "skipped" }]);
  expect(performance.now() - begun).toBeLessThan(3500);
  const [made] = used.server.sandboxes().slice(before);
  expect(made?.exitCode).toBe(137);
});
