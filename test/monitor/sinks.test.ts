import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Secret } from "nopeek";
import { type Alert, type AlertSink, createMonitor } from "nopeek/monitor";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { emptyFolder } from "../support/command.ts";
import { randomToken } from "../support/values.ts";
import { ruleFinding, valueFinding, watching } from "../support/watching.ts";

const ours = valueFinding("OURS");
const node = (program: string, ...args: string[]) => [process.execPath, "-e", program, ...args];
/** Keeps what it reads in the file that it is given. */
const keep =
  "process.stdin.pipe(require('fs').createWriteStream(process.argv[1], { flags: 'a', mode: 0o600 }))";

/** A server of this machine that is gone after the test. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const hook = (url: string, timeoutMs?: number) => ({
  webhook: new Secret(url),
  allowLoopback: true,
  timeoutMs,
});

describe("a command", () => {
  it("gets the alert as a line of JSON on its input, and its arguments as they are", async () => {
    const file = join(emptyFolder(), "alerts $(touch x) ;.jsonl");
    const watched = watching({ alerts: [{ command: node(keep, file) }] });
    watched.watch.masked(ours, "stdout");
    watched.watch.masked(ruleFinding("hf-token"), "stderr");
    expect((await watched.end())?.alerts).toEqual([
      { sink: "command", sent: 2, failed: 0, dropped: 0 },
    ]);
    const alerts = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(alerts).toEqual([
      {
        type: "alert",
        runId: "run-1",
        time: expect.stringMatching(/^20\d\d-.*Z$/),
        text: "leaked to stdout: OURS (raw); masked",
        stream: "stdout",
        name: "OURS",
        form: "raw",
        strength: "strong",
        confidence: "exact",
        severity: "critical",
        action: "alert",
        fingerprint: "f-OURS",
        isMasked: true,
      },
      expect.objectContaining({ stream: "stderr", rule: "hf-token", severity: "high" }),
    ]);
  });

  it("gets none of the launcher's credentials", async () => {
    const value = randomToken();
    vi.stubEnv("WANDB_API_KEY", value);
    vi.stubEnv("NOPEEK_RUN_ID", "outer");
    const file = join(emptyFolder(), "env.json");
    const program = "require('fs').writeFileSync(process.argv[1], JSON.stringify(process.env))";
    const watched = watching({ alerts: [{ command: node(program, file) }] });
    watched.watch.masked(ours, "stdout");
    await watched.end();
    const env = readFileSync(file, "utf8");
    expect(JSON.parse(env)).toHaveProperty("PATH");
    expect(env).not.toContain(value);
    expect(env).not.toContain("NOPEEK");
  });

  it("that fails, does not exist or reads nothing costs its alert only", async () => {
    const watched = watching({
      alerts: [
        { command: node("process.exit(3)") },
        { command: ["/no/such/program"] },
        { command: ["true"] },
      ],
    });
    watched.watch.masked(ours, "stdout");
    watched.watch.masked(ours, "stderr");
    const counts = (await watched.end())?.alerts.map(({ sent, failed }) => [sent, failed]);
    expect(counts).toEqual([
      [0, 2],
      [0, 2],
      [2, 0],
    ]);
    const troubles = watched.events.filter(({ type }) => type === "alert-failed");
    // Each reason once, however many alerts it costs.
    expect(troubles).toEqual([
      { type: "alert-failed", runId: "run-1", sink: "command", reason: "not-started" },
      { type: "alert-failed", runId: "run-1", sink: "command", reason: "exit-code" },
    ]);
    expect(watched.lines).toContain("an alert did not reach the command (exit-code)");
  });

  it("that hangs is killed with what it started, and the end does not wait for it", async () => {
    const file = join(emptyFolder(), "pids");
    const program = `
      const { pid } = require("child_process").spawn("sleep", ["60"]);
      require("fs").writeFileSync(process.argv[1] + ".new", process.pid + " " + pid);
      require("fs").renameSync(process.argv[1] + ".new", process.argv[1]);
      setInterval(() => {}, 1000);`;
    const watched = watching({ alerts: [{ command: node(program, file), timeoutMs: 60_000 }] });
    watched.watch.masked(ours, "stdout");
    await vi.waitFor(() => expect(existsSync(file)).toBe(true), { interval: 5, timeout: 5_000 });
    const begun = performance.now();
    const incident = await watched.end();
    expect(performance.now() - begun).toBeLessThan(6_500);
    expect(incident?.alerts).toMatchObject([{ sent: 0, failed: 1 }]);
    const pids = readFileSync(file, "utf8").split(" ").map(Number);
    expect(pids).toHaveLength(2);
    await vi.waitFor(
      () => {
        for (const pid of pids) expect(isAlive(pid)).toBe(false);
      },
      { interval: 5, timeout: 1_000 },
    );
  });
});

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}

describe("a webhook", () => {
  it("gets the alert as JSON, at an address that stands nowhere", async () => {
    const bodies: unknown[] = [];
    let headers: IncomingHttpHeaders = {};
    const url = await serve(async (request, response) => {
      headers = request.headers;
      bodies.push([request.method, request.url, JSON.parse(await text(request))]);
      response.end("thanks");
    });
    const path = `/services/${randomToken("")}`;
    const watched = watching({ alerts: [hook(`${url}${path}`)] });
    watched.watch.masked(ours, "stdout");
    const incident = await watched.end();
    expect(incident?.alerts).toEqual([{ sink: "webhook", sent: 1, failed: 0, dropped: 0 }]);
    expect(bodies).toEqual([["POST", path, expect.objectContaining({ name: "OURS" })]]);
    expect(headers["content-type"]).toBe("application/json");
    expect(JSON.stringify([incident, watched.events, watched.lines])).not.toContain(path);
  });

  it.each([301, 302, 307, 308])("follows no redirect (%d)", async (status) => {
    let asked = 0;
    const other = await serve((_, response) => {
      asked++;
      response.end();
    });
    const url = await serve((_, response) => {
      response.writeHead(status, { location: other }).end();
    });
    const watched = watching({ alerts: [hook(url)] });
    watched.watch.masked(ours, "stdout");
    expect((await watched.end())?.alerts).toMatchObject([{ sent: 0, failed: 1 }]);
    expect(asked).toBe(0);
    expect(watched.events.at(-1)).toMatchObject({ type: "alert-failed", reason: "redirect" });
  });

  it("that refuses, is not there or drops the connection is recorded", async () => {
    const refuses = await serve((_, response) => void response.writeHead(500).end("token=abc"));
    const drops = await serve((request) => void request.socket.destroy());
    const url = await serve(() => undefined);
    const gone = url.replace(/:\d+$/, ":1");
    const watched = watching({ alerts: [hook(refuses), hook(drops), hook(gone)] });
    watched.watch.masked(ours, "stdout");
    expect((await watched.end())?.alerts.map(({ failed }) => failed)).toEqual([1, 1, 1]);
    const reasons = watched.events.flatMap((event) =>
      event.type === "alert-failed" ? [event.reason] : [],
    );
    expect(reasons.sort()).toEqual(["connection", "connection", "status"]);
    expect(JSON.stringify(watched.events) + watched.lines.join()).not.toMatch(/127\.0|token=/);
  });

  it("that never answers, or answers without end, is given up after its time", async () => {
    const silent = await serve(() => undefined);
    const endless = await serve((_, response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write("x".repeat(1000)), 1);
      response.on("close", () => clearInterval(more));
    });
    const watched = watching({ alerts: [hook(silent, 100), hook(endless, 1_000)] });
    watched.watch.masked(ours, "stdout");
    const begun = performance.now();
    const incident = await watched.end();
    expect(performance.now() - begun).toBeLessThan(1_500);
    // The status is all that counts of an answer.
    expect(incident?.alerts.map(({ sent, failed }) => [sent, failed])).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(watched.events.at(-1)).toMatchObject({ reason: "timeout" });
  });
});

describe("the queue of a sink", () => {
  const hanging: AlertSink = {
    name: "own",
    timeoutMs: 60_000,
    send: () => new Promise(() => undefined),
  };

  it("is bounded, and what it drops is counted and said", async () => {
    const watched = watching({ alerts: [hanging] });
    const begun = performance.now();
    for (let i = 0; i < 10_000; i++) watched.watch.masked(valueFinding(`NAME_${i}`), "stdout");
    expect(performance.now() - begun).toBeLessThan(1_000);
    const incident = await watched.end();
    const [counts] = incident?.alerts ?? [];
    expect(counts).toMatchObject({ sink: "own", sent: 0, failed: 1 });
    expect((counts?.failed ?? 0) + (counts?.dropped ?? 0)).toBe(10_000);
    const troubles = watched.events.filter(({ type }) => type === "alert-failed");
    expect(troubles.map((event) => (event as { reason: string }).reason).sort()).toEqual([
      "dropped",
      "timeout",
    ]);
  });

  it.each([1e12, Number.POSITIVE_INFINITY])(
    "waits as long as a timer can: %d",
    async (timeoutMs) => {
      const send = () => new Promise<void>((settle) => void setTimeout(settle, 30));
      const watched = watching({ alerts: [{ name: "own", send, timeoutMs }] });
      watched.watch.masked(ours, "stdout");
      expect((await watched.end())?.alerts).toMatchObject([{ sent: 1, failed: 0 }]);
    },
  );

  it("goes on after one that hangs, in order", async () => {
    const sent: string[] = [];
    const sink: AlertSink = {
      name: "own",
      timeoutMs: 50,
      send: ({ name = "" }) => {
        sent.push(name);
        return name === "A" ? new Promise(() => undefined) : undefined;
      },
    };
    const watched = watching({ alerts: [sink] });
    for (const name of ["A", "B", "C"]) watched.watch.masked(valueFinding(name), "stdout");
    // At once, before what leaked is passed on, masked.
    expect(sent).toEqual(["A"]);
    expect((await watched.end())?.alerts).toMatchObject([{ sent: 2, failed: 1, dropped: 0 }]);
    expect(sent).toEqual(["A", "B", "C"]);
  });

  it("a sink that throws is failed, and says nothing of what it threw", async () => {
    const throwing: AlertSink = {
      name: "own",
      send: () => {
        throw new Error("s3cr3t");
      },
    };
    const watched = watching({ alerts: [throwing] });
    watched.watch.masked(ours, "stdout");
    const incident = await watched.end();
    expect(incident?.alerts).toMatchObject([{ failed: 1 }]);
    expect(JSON.stringify([watched.events, watched.lines])).not.toContain("s3cr3t");
  });

  it("belongs to a run: one run's end does not close another's", async () => {
    const got: string[] = [];
    const own: AlertSink = { name: "own", send: ({ runId }: Alert) => void got.push(runId) };
    const monitor = createMonitor({ alerts: [own] });
    const watch = (runId: string) =>
      monitor.watch({ runId, isInjected: () => true, say: () => undefined });
    const [one, two] = [watch("1"), watch("2")];
    one.masked(ours, "stdout");
    await one.end();
    two.masked(ours, "stdout");
    await two.end();
    expect(got).toEqual(["1", "2"]);
  });
});
