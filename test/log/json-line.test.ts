import { Secret } from "nopeek";
import { redactLine } from "nopeek/log/pino";
import { createRedactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { awkwardPassword, randomToken } from "../support/values.ts";

const values = { token: randomToken(), password: awkwardPassword() };
const redactor = createRedactor({
  secrets: Object.entries(values).map(([name, value]) => new Secret(value, { name })),
  unwrap: false,
});
const hook = redactLine(redactor);

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

/** Text as records have it: values in some form between what has to be escaped. */
function someText(): string {
  const shell = values.password.replaceAll("'", `'\\''`);
  const pieces = ['"', "\\", "\n", "a", " ", "'", "{", "\\\\", "ü", "\u0001", '\\"', "clean"];
  const secrets = [values.token, values.password, shell, JSON.stringify(values.password)];
  return Array.from({ length: 6 }, () => pick(Math.random() < 0.03 ? secrets : pieces)).join("");
}

/** Written for clearness: each string of a record is masked as it is, then the whole line. */
function expected(record: Record<string, string>): string {
  const strings = Object.entries(record).map(([key, text]) =>
    [key, text].map((part) => {
      const written = JSON.stringify(part);
      return written.includes("\\") ? JSON.stringify(redactor.redact(part)) : written;
    }),
  );
  return redactor.redact(`{${strings.map((pair) => pair.join(":")).join()}}`);
}

it("masks each string as it was before it was escaped", () => {
  let changed = 0;
  for (let round = 0; round < 3_000; round++) {
    const record = Object.fromEntries(Array.from({ length: 4 }, () => [someText(), someText()]));
    const masked = hook(JSON.stringify(record));
    expect(masked).toBe(expected(record));
    expect(masked).not.toContain(values.token);
    expect(JSON.stringify(JSON.parse(masked))).not.toContain(values.password);
    if (masked !== JSON.stringify(record)) changed++;
  }
  // Control: there was something to mask, and something to leave.
  expect(changed).toBeGreaterThan(500);
  expect(changed).toBeLessThan(3_000);
});

it("masks strings in lines that are no JSON as a whole", () => {
  const quoted = JSON.stringify(`'${values.password.replaceAll("'", `'\\''`)}'`);
  for (const before of ["", "info: ", "it's 5\" wide: ", "C:\\dir ", '"x" C:\\dir ', '\\"', "\\"]) {
    const masked = hook(`${before}${quoted}\n`);
    expect(masked).toContain("[REDACTED:password]");
    expect(masked).not.toContain(values.password.slice(12, 24));
  }
});

it("takes time linear in a line without quotes, without ends, or of nothing but escapes", () => {
  for (const text of [
    "\\",
    "\\\\",
    '\\"',
    '"\\',
    '"a\\n",',
    '"\\d\\"',
    '"\\d"',
    '" \\d ',
    "\\n x",
  ]) {
    const line = `{"a":1,${text.repeat(100_000)}`;
    const start = process.cpuUsage();
    expect(hook(line)).toBe(line);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(3_000);
  }
});
