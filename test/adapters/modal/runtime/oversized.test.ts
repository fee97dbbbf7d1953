/** Large values have a file of their own: what a process knows of them makes every search slower. */
import { Secret } from "nopeek";
import { launch } from "nopeek/launch";
import { expect, it } from "vitest";
import { randomToken } from "../../../support/values.ts";
import { useModalServer } from "../harness.ts";
import { run, runtime, shell } from "./support.ts";

const used = useModalServer();
const big = (size: number) =>
  new Secret(
    randomToken("", 64)
      .repeat(Math.ceil(size / 64))
      .slice(0, size),
  );

it("refuses a value of more than 128 KiB, and sends nothing", async () => {
  const failed = launch({ on: runtime(), command: ["true"], secrets: { BIG: big(131_070) } });
  await expect(failed).rejects.toMatchObject({
    code: "SECRET_REQUEST_INVALID",
    message: expect.stringContaining("128 KiB"),
  });
  expect(used.server.calls).toEqual([]);
});

it("takes one of just below", async () => {
  const result = await run({
    on: runtime({ shim: "off" }),
    command: shell('printf %s "$BIG" | wc -c'),
    secrets: { BIG: big(131_060) },
  });
  expect(Number(result.out)).toBe(131_060);
});
