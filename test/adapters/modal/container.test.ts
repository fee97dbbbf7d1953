import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { modal } from "../../../adapters/modal/index.ts";
import { createSecrets } from "../../../src/secrets/index.ts";
import { codeThrown } from "./harness.ts";

const value = randomBytes(16).toString("hex");

it.each([{ MODAL_TASK_ID: "ta-1" }, { MODAL_IS_REMOTE: "1" }])(
  "reads the variable of the key where %o is set",
  async (marks) => {
    const vars = { ...marks, HF_TOKEN: value, EMPTY: "" };
    const secrets = createSecrets({ providers: [modal({ vars })] });
    expect((await secrets.get("modal://train#HF_TOKEN")).reveal()).toBe(value);
    expect((await secrets.get("modal://prod/train#HF_TOKEN")).reveal()).toBe(value);
    expect(await secrets.find("modal://train#EMPTY")).toBeNull();
    expect(await secrets.find("modal://train#ABSENT")).toBeNull();
    expect(await codeThrown(secrets.get("modal://train"))).toBe("REFERENCE_INVALID");
    expect(await codeThrown(secrets.get("modal://train#MODAL_TASK_ID"))).toBe("REFERENCE_INVALID");
  },
);

it.each([{}, { MODAL_TASK_ID: "" }, { MODAL_IS_REMOTE: "0" }, { MODAL_TOKEN_ID: "x" }])(
  "reads nothing where only %o is set",
  async (marks) => {
    const vars = { ...marks, HF_TOKEN: value };
    const provider = modal({ vars });
    expect(provider.capabilities).not.toContain("read");
    expect(provider.read).toBeUndefined();
  },
);

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
  "refuses a time limit of %d",
  (timeoutMs) => {
    expect(() => modal({ timeoutMs })).toThrow(expect.objectContaining({ code: "USAGE" }));
  },
);

it.each(["", "a/b", "pr od"])("refuses the environment %j", (environment) => {
  expect(() => modal({ environment })).toThrow(expect.objectContaining({ code: "USAGE" }));
});
