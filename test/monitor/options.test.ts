import { Secret } from "nopeek";
import { checkMonitorSettings, createMonitor, type MonitorOptions } from "nopeek/monitor";
import { expect, it } from "vitest";
import { codeOf } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

const create = (given: unknown) => createMonitor(given as MonitorOptions);

const wrong: readonly (readonly [unknown, RegExp])[] = [
  [null, /monitor: expected an object/],
  [[], /monitor: expected an object/],
  [{ onLeak: "stop" }, /monitor\.onLeak: not valid; use redact, alert, halt, halt\+rotate/],
  [{ onLeaks: "halt" }, /monitor: unknown option; known are onLeak, /],
  [{ toString: 1 }, /monitor: unknown option/],
  [{ __proto__: null, constructor: 1 }, /monitor: unknown option/],
  [{ onFinding: {} }, /monitor\.onFinding: not valid/],
  [{ onFinding: ["halt"] }, /monitor\.onFinding\.0: expected an object/],
  [{ onFinding: [{ action: "halt" }, { rule: "x" }] }, /onFinding\.1: needs an action/],
  [{ onFinding: [{ action: "kill" }] }, /onFinding\.0\.action: not valid; use review, redact/],
  [{ onFinding: [{ action: "halt", rule: [] }] }, /onFinding\.0\.rule: not valid/],
  [{ onFinding: [{ action: "halt", rule: "(a+)+$" }] }, /onFinding\.0\.rule: not valid/],
  [{ onFinding: [{ action: "halt", isInjected: true }] }, /onFinding\.0: unknown option/],
  [{ onFinding: [{ action: "halt", confidence: "sure" }] }, /use exact, checksum/],
  [{ alerts: [{}] }, /alerts\.0: needs one of command and webhook/],
  [{ alerts: [{ command: ["a"], webhook: "env://A" }] }, /alerts\.0: needs one of/],
  [{ alerts: [{ command: "rm -rf /" }] }, /alerts\.0\.command: not valid/],
  [{ alerts: [{ command: [""] }] }, /alerts\.0: the program of the command is empty/],
  [{ alerts: [{ command: ["a\0b"] }] }, /alerts\.0\.command: not valid/],
  [{ alerts: [{ webhook: "env://HOOK" }] }, /the reference to launch/],
  [{ alerts: [{ webhook: new Secret("no url") }] }, /the alert webhook holds no URL/],
  [{ alerts: [{ send: () => undefined }] }, /alerts\.0: unknown option/],
  [{ alerts: [null] }, /alerts\.0: expected an object/],
  [{ alerts: [{ name: "", send: () => undefined }] }, /alerts\.0: unknown option/],
  [{ alerts: [{ command: ["a"], timeoutMs: Number.NaN }] }, /alerts\.0\.timeoutMs: not valid/],
  ...[Number.NaN, -1, 0, "5"].map(
    (timeoutMs) =>
      [
        { alerts: [{ name: "own", send: () => undefined, timeoutMs }] },
        /alerts\.0\.timeoutMs: not valid; use milliseconds above zero/,
      ] as const,
  ),
  [{ review: "yes" }, /monitor\.review: not valid/],
  [{ alertsPerMinute: 0 }, /monitor\.alertsPerMinute: not valid/],
  [{ rotate: "aws" }, /monitor\.rotate: not valid/],
];

it.each(wrong)("refuses %j", (given, message) => {
  expect(() => create(given)).toThrowError(
    expect.objectContaining({ code: "MONITOR_INVALID", message: expect.stringMatching(message) }),
  );
});

it("takes what is right", () => {
  const options: MonitorOptions = {
    onLeak: "halt+rotate",
    onFinding: [
      {
        rule: ["aws-*", "hf-token"],
        name: "HF_TOKEN",
        severity: ["critical", "high"],
        confidence: "format",
        strength: "strong",
        stream: ["stdout", "command"],
        action: "alert",
      },
    ],
    alerts: [{ command: ["logger"] }, { name: "own", send: () => undefined, timeoutMs: 1e12 }],
    review: false,
    alertsPerMinute: 5,
    rotate: async () => undefined,
    record: () => undefined,
  };
  expect(create(options)).toHaveProperty("watch");
  expect(create({})).toHaveProperty("watch");
  class Pager {
    readonly name = "pager";
    readonly room = 7;
    send() {
      return this.room > 7 ? undefined : Promise.resolve();
    }
  }
  expect(create({ alerts: [new Pager()] })).toHaveProperty("watch");
  expect(create({ onLeak: undefined, alerts: undefined })).toHaveProperty("watch");
});

it("echoes nothing of what it refuses", () => {
  const value = randomToken("hf_");
  for (const given of [
    { onLeak: value },
    { [value]: 1 },
    { onFinding: [{ action: value }] },
    { onFinding: [{ [value]: 1, action: "halt" }] },
    { alerts: [{ webhook: value }] },
    { alerts: [{ webhook: new Secret(value) }] },
    { alerts: [{ webhook: new Secret(`http://example.com/${value}`) }] },
  ]) {
    expect(() => create(given)).toThrowError(
      expect.objectContaining({ message: expect.not.stringContaining(value) }),
    );
  }
});

it("takes http for a webhook only on this machine, and only where that is said", () => {
  const at = (url: string, allowLoopback?: boolean) =>
    codeOf(() => create({ alerts: [{ webhook: new Secret(url), allowLoopback }] }));
  expect(at("https://hooks.example.com/x")).toBe("none");
  expect(at("http://127.0.0.1:8080/x", true)).toBe("none");
  expect(at("http://[::1]:8080/x", true)).toBe("none");
  expect(at("http://127.0.0.1:8080/x")).toBe("ENDPOINT_REFUSED");
  for (const host of ["example.com", "10.0.0.1", "127.0.0.1.example.com", "localhost.evil.com"]) {
    expect([host, at(`http://${host}/x`, true)]).toEqual([host, "ENDPOINT_REFUSED"]);
  }
  for (const url of ["file:///etc/passwd", "ftp://127.0.0.1/", "javascript:1"]) {
    expect(at(url, true)).toBe("ENDPOINT_REFUSED");
  }
});

it("a configuration file holds data only, and is named in the message", () => {
  expect(checkMonitorSettings({ onLeak: "halt" }, "nopeek.config.json")).toEqual({
    onLeak: "halt",
  });
  for (const given of [{ rotate: () => undefined }, { onLeak: 1 }]) {
    expect(() => checkMonitorSettings(given, "nopeek.config.json")).toThrowError(
      expect.objectContaining({
        code: "MONITOR_INVALID",
        message: expect.stringMatching(/^nopeek\.config\.json: monitor/),
      }),
    );
  }
});
