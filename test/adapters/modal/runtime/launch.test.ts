/** A launch on Modal, against the real client and the test server. */
import { createSecrets, Secret } from "nopeek";
import { describe, expect, it } from "vitest";
import { modal } from "../../../../adapters/modal/index.ts";
import { randomToken } from "../../../support/values.ts";
import { newClient, useModalServer } from "../harness.ts";
import { backends, run, runtime, shell } from "./support.ts";

const used = useModalServer();
const newest = () => {
  const found = used.server.sandboxes().at(-1);
  if (found === undefined) throw new Error("no sandbox was created");
  return found;
};

const ways = [
  ...backends,
  ["V2", { execScoped: true }],
  ["V1", { gpu: "T4", execScoped: true }],
] as const;

describe.each(ways)("%s %o", (backend, extra) => {
  const isScoped = "execScoped" in extra;

  it("injects, masks, gives exit code and both streams", async () => {
    const token = randomToken("hf_");
    const result = await run({
      on: runtime(extra),
      command: shell('echo "token=$HF_TOKEN plain=$PLAIN"; echo "e $HF_TOKEN" >&2; exit 3'),
      secrets: { HF_TOKEN: new Secret(token) },
      env: { PLAIN: "plain-value" },
    });
    expect(result).toMatchObject({
      endedBy: "exit",
      exitCode: 3,
      out: "token=[REDACTED:HF_TOKEN] plain=plain-value\n",
      err: "e [REDACTED:HF_TOKEN]\n",
      outputLost: false,
      notices: [],
    });
    expect(newest()).toMatchObject({ backend, exitCode: isScoped ? 137 : 3 });
    expect(result.redactions.total).toBe(2);
  });

  it("gives the job nothing of the launcher's own environment", async () => {
    const result = await run({ on: runtime(extra), command: ["env"], env: { A: "1" } });
    const names = result.out.split("\n").flatMap((line) => line.match(/^\w+(?==)/) ?? []);
    // The server's own stand-in for the image's variables, and Modal's.
    const platform = names.filter((name) => !/^(?:MODAL_|PATH$|HOME$|PWD$|SHLVL$|_$)/.test(name));
    expect(platform.sort()).toEqual(
      ["A", "NOPEEK_RUN_ID", "NOPEEK_SECRETS", "PYTHONUNBUFFERED"].sort(),
    );
    expect(result.out).toMatch(new RegExp(`^NOPEEK_RUN_ID=${result.runId}$`, "m"));
  });

  it("attaches named secrets without reading them", async () => {
    const token = randomToken();
    used.server.seedSecret("hf", { HF_TOKEN: token });
    await using from = createSecrets({ providers: [modal()] });
    const result = await run({
      on: runtime(extra),
      from,
      command: shell('printf %s "$HF_TOKEN" | cksum'),
      secrets: { HF_TOKEN: "modal://hf#HF_TOKEN" },
    });
    const local = await run({
      command: shell('printf %s "$HF_TOKEN" | cksum'),
      secrets: { HF_TOKEN: new Secret(token) },
    });
    expect(result.out).toBe(local.out);
  });

  it("ends with 124 at the sandbox's own time limit", async () => {
    const result = await run({
      on: runtime({ ...extra, timeoutMs: 1000 }),
      command: shell("echo begun; sleep 30"),
    });
    expect(result).toMatchObject({ endedBy: "timeout", exitCode: 124, out: "begun\n" });
  });

  it("ends with 124 at the launcher's time limit, and the sandbox is gone", async () => {
    const result = await run({
      on: runtime(extra),
      command: shell("echo begun; sleep 30"),
      timeoutMs: 1500,
    });
    expect(result).toMatchObject({ endedBy: "timeout", exitCode: 124, out: "begun\n" });
    expect(newest().exitCode).toBe(137);
  });

  it("stops within 2 s when it is told to", async () => {
    const stop = new AbortController();
    let asked = 0;
    const result = await run(
      {
        on: runtime(extra),
        command: shell("trap '' TERM INT; echo begun; sleep 30"),
        signal: stop.signal,
      },
      () => {
        asked = performance.now();
        stop.abort();
      },
    );
    expect(performance.now() - asked).toBeLessThan(2000);
    expect(result).toMatchObject({ endedBy: "abort", exitCode: 137, out: "begun\n" });
    expect(newest().exitCode).toBe(137);
  });

  it("says that a sandbox was terminated by somebody else", async () => {
    const client = await newClient();
    const result = await run(
      { on: runtime(extra), command: shell("echo begun; sleep 30") },
      async () => (await client.sandboxes.fromId(newest().id)).terminate(),
    );
    expect(result).toMatchObject({ endedBy: "signal", exitCode: 137 });
  });

  it("goes on where a dropped stream ended, without a lost or repeated byte", async () => {
    const ofSandbox = backend === "V2" ? "SandboxStdioReadV2" : "SandboxGetLogs";
    const method = isScoped ? "TaskExecStdioRead" : ofSandbox;
    used.server.fault(method, { breaks: "reset", afterMessages: 1 });
    used.server.fault(method, { status: "UNAVAILABLE", afterMessages: 1 });
    // What the client does not repeat by itself: the output of a sandbox begins anew then.
    const refused = { status: "RESOURCE_EXHAUSTED", afterMessages: 1, times: 3 } as const;
    if (!isScoped) used.server.fault(method, refused);
    const result = await run({
      on: runtime(extra),
      command: shell(
        "for i in 1 2 3 4 5 6 7 8; do echo step-$i-ü; echo e-$i >&2; sleep 0.05; done",
      ),
    });
    const steps = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(result.out).toBe(steps.map((i) => `step-${i}-ü\n`).join(""));
    expect(result.err).toBe(steps.map((i) => `e-${i}\n`).join(""));
    expect(result.outputLost).toBe(false);
    expect(result.notices).toEqual([]);
  });

  it("waits for a service that is out of reach for a while", async () => {
    const ofSandbox = backend === "V2" ? "SandboxWaitV2" : "SandboxWait";
    used.server.fault(isScoped ? "TaskExecWait" : ofSandbox, {
      status: "UNAVAILABLE",
      times: 9,
    });
    const result = await run({ on: runtime(extra), command: shell("sleep 0.3; exit 5") });
    expect(result).toMatchObject({ endedBy: "exit", exitCode: 5 });
  });
});
