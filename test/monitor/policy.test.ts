import {
  type Action,
  createMonitor,
  type FindingRule,
  type LeakPolicy,
  type MonitorEvent,
  type MonitoredFinding,
  type WatchedRun,
} from "nopeek/monitor";
import { describe, expect, it } from "vitest";
import { ruleFinding, valueFinding, watching } from "../support/watching.ts";

const ours = valueFinding("OURS");
const findings: Readonly<Record<string, MonitoredFinding>> = {
  ours,
  weak: { ...ours, strength: "weak", form: "line" },
  foreign: valueFinding("OTHER"),
  format: ruleFinding("hf-token"),
  checksum: ruleFinding("github-token", { confidence: "checksum" }),
  grave: ruleFinding("aws-key", { severity: "critical" }),
  heuristic: ruleFinding("assignment", { confidence: "heuristic" }),
  placeholder: ruleFinding("aws-key", { confidence: "placeholder" }),
  review: ruleFinding("shell-injection", { detector: "shell-injection", confidence: "heuristic" }),
};

/** What is done about one finding under a policy and a table. */
async function actionOf(
  finding: MonitoredFinding | undefined,
  onLeak: LeakPolicy,
  onFinding: readonly FindingRule[] = [],
): Promise<Action | undefined> {
  const watched = watching({ onLeak, onFinding, rotate: async () => undefined });
  watched.watch.masked(finding ?? ours, "stdout");
  const incident = await watched.end();
  const action = incident?.findings[0]?.action;
  expect(watched.halts).toBe(action?.startsWith("halt") === true ? 1 : 0);
  expect(incident?.rotations).toHaveLength(action === "halt+rotate" ? 1 : 0);
  return action;
}

describe("policies", () => {
  const expected: Record<LeakPolicy, Record<string, Action>> = {
    redact: all("redact"),
    alert: all("alert"),
    halt: { ...all("alert"), ours: "halt" },
    "halt+rotate": { ...all("alert"), ours: "halt+rotate" },
  };
  function all(action: Action): Record<string, Action> {
    const names = Object.keys(findings).map((name) => [name, action] as const);
    return { ...Object.fromEntries(names), review: "review" };
  }

  it.each(Object.keys(expected) as LeakPolicy[])(
    "%s does what it says to each kind",
    async (policy) => {
      const actual: Record<string, Action | undefined> = {};
      for (const [kind, finding] of Object.entries(findings)) {
        actual[kind] = await actionOf(finding, policy);
      }
      expect(actual).toEqual(expected[policy]);
    },
  );
});

describe("a table", () => {
  it("goes before the policy, and its first line that fits decides", async () => {
    const table: FindingRule[] = [
      { rule: "hf-*", action: "redact" },
      { rule: ["hf-token", "github-token"], action: "halt" },
      { confidence: ["heuristic", "placeholder"], action: "redact" },
      { name: "OU*", stream: "stderr", action: "redact" },
    ];
    expect(await actionOf(findings["format"], "alert", table)).toBe("redact");
    expect(await actionOf(findings["checksum"], "alert", table)).toBe("halt");
    expect(await actionOf(findings["heuristic"], "alert", table)).toBe("redact");
    expect(await actionOf(ours, "halt", table)).toBe("halt");
    const onError = watching({ onLeak: "halt", onFinding: table });
    onError.watch.masked(ours, "stderr");
    expect([onError.halts, (await onError.end())?.findings[0]?.action]).toEqual([0, "redact"]);
  });

  it("matches by severity and strength", async () => {
    expect(
      await actionOf(findings["grave"], "alert", [{ severity: "critical", action: "halt" }]),
    ).toBe("halt");
    expect(
      await actionOf(findings["format"], "alert", [{ severity: "critical", action: "halt" }]),
    ).toBe("alert");
    expect(
      await actionOf(findings["weak"], "alert", [{ strength: "weak", action: "redact" }]),
    ).toBe("redact");
  });

  it("halts for what a rule found only where it says so, and never rotates that", async () => {
    const table: FindingRule[] = [{ action: "halt+rotate" }];
    const actions = new Map<string, Action | undefined>();
    for (const [kind, finding] of Object.entries(findings)) {
      actions.set(kind, await actionOf(finding, "redact", table));
    }
    expect(Object.fromEntries(actions)).toEqual({
      ours: "halt+rotate",
      // By chance, or not ours, or only a hint: never a reason to stop.
      weak: "alert",
      foreign: "alert",
      review: "alert",
      format: "halt",
      checksum: "halt",
      grave: "halt",
      heuristic: "halt",
      placeholder: "halt",
    });
  });

  it("takes a dot in a rule's id for a dot", async () => {
    expect(await actionOf(ruleFinding("axb"), "alert", [{ rule: "a.b", action: "halt" }])).toBe(
      "alert",
    );
    expect(await actionOf(ruleFinding("a.b"), "alert", [{ rule: "a.b", action: "halt" }])).toBe(
      "halt",
    );
  });
});

it("a strong form after a weak one of the same secret still halts", async () => {
  const watched = watching({ onLeak: "halt" });
  watched.watch.masked({ ...ours, strength: "weak", form: "line" }, "stdout");
  expect(watched.halts).toBe(0);
  watched.watch.masked(ours, "stdout");
  watched.watch.masked(ours, "stderr");
  expect(watched.halts).toBe(1);
  expect(watched.events.map(({ type }) => type)).toEqual(["finding", "finding", "halt", "finding"]);
  await watched.end();
});

it("a finding without a confidence is exact, or heuristic where a rule made it", async () => {
  const { confidence: _, ...bare } = ours;
  expect(await actionOf(bare, "halt")).toBe("halt");
  // A name and a fingerprint of ours do not make a rule's finding ours.
  expect(await actionOf({ ...bare, rule: "some-rule" }, "halt+rotate")).toBe("alert");
});

it("says one line for a secret and stream, and counts the rest", async () => {
  const watched = watching();
  for (let i = 0; i < 3; i++) {
    watched.watch.sighted(ours, "stdout");
    watched.watch.masked(ours, "stdout");
    watched.watch.masked({ ...ours, form: "base64" }, "stdout");
    watched.watch.masked(ours, "stderr");
  }
  expect(watched.lines).toEqual([
    "leaked to stdout: OURS (raw); masked",
    "leaked to stderr: OURS (raw); masked",
  ]);
  const incident = await watched.end();
  expect(incident?.findings.map(({ stream, form, count }) => [stream, form, count])).toEqual([
    ["stdout", "raw", 3],
    ["stdout", "base64", 3],
    ["stderr", "raw", 3],
  ]);
  expect(new Set(watched.events.map(({ runId }) => runId))).toEqual(new Set(["run-1"]));
});

it("limits alerts of rules in rate, but never those of known values or halts", async () => {
  const table: FindingRule[] = [{ rule: "stop", action: "halt" }];
  const watched = watching({ alertsPerMinute: 5, onFinding: table });
  for (let i = 0; i < 50; i++) {
    watched.watch.masked(ruleFinding("hf-token", { fingerprint: `f-${i}` }), "stdout");
  }
  expect(watched.lines).toHaveLength(5);
  for (let i = 0; i < 50; i++) watched.watch.masked(valueFinding(`NAME_${i}`), "stdout");
  expect(watched.lines).toHaveLength(55);
  watched.watch.masked(ruleFinding("stop"), "stdout");
  expect(watched.halts).toBe(1);
  const incident = await watched.end();
  expect(incident).toMatchObject({ suppressed: 45, halted: { rule: "stop", stream: "stdout" } });
  expect(incident?.findings[0]).toMatchObject({ rule: "hf-token", count: 50 });
});

describe("rotation", () => {
  it("is asked for once for each secret that leaked, after the halt, with one id", async () => {
    const rotated: unknown[] = [];
    const watched = watching(
      {
        onLeak: "halt+rotate",
        rotate: async ({ name, runId }) => void rotated.push([name, runId]),
      },
      ["f-A", "f-B"],
    );
    for (const name of ["A", "B", "A", "C"]) watched.watch.masked(valueFinding(name), "stdout");
    const incident = await watched.end();
    expect(rotated).toEqual([
      ["A", "run-1"],
      ["B", "run-1"],
    ]);
    expect(incident?.rotations).toEqual([
      { name: "A", outcome: "done" },
      { name: "B", outcome: "done" },
    ]);
    const order = watched.events.map((event) =>
      event.type === "rotation" ? `${event.outcome} ${event.name}` : event.type,
    );
    expect(order.slice(0, 3)).toEqual(["finding", "halt", "started A"]);
    expect(order.slice(-2)).toEqual(["done A", "done B"]);
  });

  it("that fails is said, without what the store said", async () => {
    const watched = watching({
      onLeak: "halt+rotate",
      rotate: () => Promise.reject(new Error("the value s3cr3t is refused")),
    });
    watched.watch.masked(ours, "stdout");
    const incident = await watched.end();
    expect(incident?.rotations).toEqual([{ name: "OURS", outcome: "failed" }]);
    expect(watched.lines.at(-1)).toBe("OURS leaked, and its rotation failed; rotate it now");
    expect(JSON.stringify([watched.lines, watched.events, incident])).not.toContain("s3cr3t");
  });

  it("that nothing can do is said before the run, and again when it would be due", async () => {
    const watched = watching({ onLeak: "halt+rotate" });
    expect(watched.lines).toEqual([
      "halt+rotate: no rotation is declared here, so a leak halts the job and no more",
    ]);
    watched.watch.masked(ours, "stdout");
    expect((await watched.end())?.rotations).toEqual([{ name: "OURS", outcome: "unavailable" }]);
    expect(watched.lines.at(-1)).toContain("nothing here can rotate it");
    const other = watching({ onLeak: "halt" });
    expect(other.lines).toEqual([]);
    await other.end();
  });
});

it("a record or a listener that throws stops nothing", async () => {
  const watched = watching({
    onLeak: "halt",
    record: () => {
      throw new Error("disk full");
    },
  });
  watched.watch.masked(ours, "stdout");
  expect(watched.halts).toBe(1);
  expect(watched.lines).toContain("an event of the monitor could not be recorded");
  const rejecting = watching({ onLeak: "halt", record: () => Promise.reject(new Error("full")) });
  rejecting.watch.masked(ours, "stdout");
  await rejecting.end();
  expect(rejecting.halts).toBe(1);
});

it("gives no incident where there was nothing", async () => {
  const watched = watching();
  watched.watch.judge(["sh", "-c", "echo $HOME"], []);
  expect(await watched.end()).toBeUndefined();
  expect(watched.lines).toEqual([]);
});

it("takes nothing over from a finding that a job may have written but what its fields may hold", async () => {
  const watched = watching({ onLeak: "halt" });
  const text = "x\u001b[2J\nnopeek: all is well";
  const hostile = {
    name: text,
    rule: text,
    form: text,
    strength: text,
    confidence: text,
    severity: text,
    fingerprint: text.repeat(1_000),
    extra: text,
  } as unknown as MonitoredFinding;
  watched.watch.masked(hostile, "stdout");
  watched.watch.masked({ ...hostile, rule: undefined }, "stdout");
  watched.watch.masked(
    { ...hostile, rule: { toString: () => text } as unknown as string },
    "stderr",
  );
  const incident = await watched.end();
  expect(JSON.stringify([watched.lines, watched.events, incident])).not.toContain("all is well");
  expect(watched.lines).toEqual([
    "what looks like a secret on stdout: unknown; masked",
    "leaked to stdout: a secret; masked",
    "what looks like a secret on stderr: unknown; masked",
  ]);
  expect(watched.halts).toBe(0);
});

describe("what a run gives to its watch", () => {
  /** A watch whose caller's own functions throw. */
  const failing = (broken: Partial<WatchedRun>, halt: () => void = () => undefined) => {
    const [events, lines]: [MonitorEvent[], string[]] = [[], []];
    const watch = createMonitor({ onLeak: "halt" }).watch({
      runId: "run-1",
      isInjected: () => true,
      say: (line) => void lines.push(line),
      record: (event) => void events.push(event),
      ...broken,
    });
    return { watch, events, lines, guard: () => watch.guard(halt) };
  };
  const broken = () => {
    throw new Error("of the caller");
  };

  it.each([true, false])(
    "a halt that fails is recorded and said (guarded first: %s)",
    async (isFirst) => {
      const { watch, events, lines, guard } = failing({}, broken);
      if (isFirst) guard();
      expect(() => watch.masked(ours, "stdout")).not.toThrow();
      if (!isFirst) expect(guard).not.toThrow();
      expect(events.map(({ type }) => type)).toEqual(["finding", "halt"]);
      expect(lines.filter((line) => line.includes("could not be halted"))).toHaveLength(1);
      expect((await watch.end())?.halted).toMatchObject({ name: "OURS" });
      // Control: one that works.
      const working = failing({});
      working.guard();
      working.watch.masked(ours, "stdout");
      expect(working.events).toEqual(events);
      expect(working.lines.join()).not.toContain("could not be halted");
      await working.watch.end();
    },
  );

  it("a value of which it cannot say whose it is halts nothing, and is told", async () => {
    const { watch, events, lines, guard } = failing({ isInjected: broken });
    guard();
    expect(() => watch.masked(ours, "stdout")).not.toThrow();
    expect(events).toEqual([expect.objectContaining({ type: "finding", action: "alert" })]);
    expect(lines).toEqual([expect.stringContaining("leaked to stdout: OURS")]);
    await watch.end();
  });
});
