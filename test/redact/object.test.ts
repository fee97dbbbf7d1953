import { inspect } from "node:util";
import { Secret } from "nopeek";
import { createRedactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

const value = randomToken("tok_");
const secret = new Secret(value, { name: "TOKEN" });
const redactor = createRedactor({ secrets: [secret], unwrap: false });

it("smoke", () => {
  const cyc: Record<string, unknown> = {
    a: value,
    [value]: 1,
    m: new Map([[value, new Set([value])]]),
  };
  cyc["self"] = cyc;
  const err = new TypeError(`bad ${value}`, { cause: new Error(value) });
  (err as unknown as Record<string, unknown>)["config"] = {
    headers: { Authorization: `Bearer ${value}` },
  };
  cyc["err"] = err;
  cyc["buf"] = Buffer.from(`x${value}y`);
  cyc["bytes"] = [...Buffer.from(value)];
  cyc["url"] = new URL(`https://x/?t=${value}`);
  const out = redactor.redactObject(cyc);
  expect(inspect(out, { depth: 20, showHidden: true })).not.toContain(value);
});
