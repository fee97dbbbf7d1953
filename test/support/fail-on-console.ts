import { afterEach, beforeEach, expect, vi } from "vitest";

// A library that prints is a library that leaks: no test may see console output.
const methods = ["log", "info", "warn", "error", "debug"] as const;
let spies: { mock: { calls: unknown[][] } }[] = [];

beforeEach(() => {
  spies = methods.map((method) => vi.spyOn(console, method).mockImplementation(() => undefined));
});

afterEach(() => {
  for (const { mock } of spies) expect(mock.calls).toEqual([]);
});
