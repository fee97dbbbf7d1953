import { createHmac, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Mac } from "../../src/audit/mac.ts";
import { isSlow } from "../support/scratch.ts";

it("gives what RFC 4231 gives (cases 2 and 3 have shorter keys, which are refused)", () => {
  // Case 1, its key made as long as ours by the zeros that HMAC adds anyway.
  const key = Buffer.concat([Buffer.alloc(20, 0x0b), Buffer.alloc(12)]);
  expect(new Mac(key, 100).of("Hi There")).toBe(
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  );
  expect(() => new Mac(Buffer.alloc(31), 100)).toThrow(RangeError);
  expect(() => new Mac(Buffer.alloc(65), 100)).toThrow(RangeError);
});

it("gives what node:crypto gives, message after message", () => {
  const key = randomBytes(32);
  const mac = new Mac(key, 400);
  const message = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.uint8Array({ maxLength: 400 }),
  );
  fc.assert(
    fc.property(message, (given) => {
      expect(mac.of(given)).toBe(createHmac("sha256", key).update(given).digest("hex"));
    }),
    { numRuns: isSlow ? 20_000 : 500 },
  );
  expect(mac.of("\ud800")).toBe(createHmac("sha256", key).update("\ud800").digest("hex"));
  expect(() => mac.of("x".repeat(401))).toThrow(RangeError);
  expect(() => mac.of(new Uint8Array(401))).toThrow(RangeError);
});
