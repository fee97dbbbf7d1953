import { Secret } from "nopeek";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const secret = new Secret(value, { name: "T" });

/** The message of the TypeError that it throws. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

describe("what is no secret is refused, and its value not shown", () => {
  const wrong: Record<string, unknown> = {
    "a text for options": value,
    "null for options": null,
    "a list for options": [secret],
    "a text for secrets": { secrets: value },
    "null for secrets": { secrets: null },
    "one secret for secrets": { secrets: secret },
    "a text among secrets": { secrets: [secret, value] },
    "null among secrets": { secrets: [null] },
    "bytes for secrets": { secrets: Buffer.from(value) },
  };

  it.each(Object.entries(wrong))("%s", (_, options) => {
    const message = refusal(() => createRedactor(options as never));
    expect(message).toContain("new Secret(value, { name })");
    expect(message).not.toContain(value);
  });

  it("a secret for options, and a text that is added", () => {
    expect(refusal(() => createRedactor(secret as never))).toContain("{ secrets: [secret] }");
    const redactor = createRedactor({ secrets: [] });
    const message = refusal(() => redactor.add(value as never));
    expect(message).toContain("new Secret(value, { name })");
    expect(message).not.toContain(value);
    redactor.add(secret);
    expect(redactor.redact(value)).toBe("[REDACTED:T]");
  });
});

const redactor = createRedactor({ secrets: new Set([secret]) });

it("refuses a way of holding that there is not", () => {
  for (const hold of ["Strict", "", null, true]) {
    expect(refusal(() => redactor.stream({ hold: hold as never }))).toContain('"strict"');
  }
  for (const hold of ["strict", "pause", undefined] as const) redactor.stream({ hold }).destroy();
});

it("refuses limits that are none", () => {
  for (const limit of [-1, Number.NaN, 0.5, "9", null]) {
    const [maxDepth, maxNodes] = [limit as number, limit as number];
    expect(refusal(() => redactor.redactObject({}, { maxDepth }))).toContain('"maxDepth"');
    expect(refusal(() => redactor.redactError({}, { maxNodes }))).toContain('"maxNodes"');
  }
  refusal(() => redactor.redactObject({}, null as never));
  const limits = { maxDepth: Number.POSITIVE_INFINITY, maxNodes: undefined };
  expect(redactor.redactObject({ value }, limits)).toEqual({ value: "[REDACTED:T]" });
  expect(redactor.redactObject([value], { maxDepth: 0 })).toEqual(["[REDACTED:T]"]);
});
