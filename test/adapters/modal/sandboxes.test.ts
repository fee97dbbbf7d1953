/** The sandboxes of the test server, driven by the real client: what launching on Modal builds on. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { randomToken } from "../../support/values.ts";
import { newClient, useModalServer } from "./harness.ts";

const used = useModalServer();
const token = () => randomToken();

async function parts() {
  const client = await newClient();
  const app = await client.apps.fromName("train", { createIfMissing: true });
  return { client, app, image: client.images.fromRegistry("python:3.12-slim") };
}

/** The backend follows from the GPU. */
const backends = [
  ["V2", {}],
  ["V1", { gpu: "T4" }],
] as const;

describe.each(backends)("%s", (backend, extra) => {
  it("runs a command with the secrets in order, and gives its output and exit code", async () => {
    const { client, app, image } = await parts();
    const [named, inline] = [token(), token()];
    used.server.seedSecret("hf", { HF_TOKEN: named, SHARED: "named" });
    const sandbox = await client.sandboxes.create(app, image, {
      ...extra,
      command: [
        "sh",
        "-c",
        'echo "$HF_TOKEN $OWN $SHARED $PLAIN $MODAL_TASK_ID"; echo no >&2; exit 3',
      ],
      secrets: [
        await client.secrets.fromName("hf", { requiredKeys: ["HF_TOKEN"] }),
        await client.secrets.fromObject({ OWN: inline, SHARED: "inline" }),
      ],
      env: { PLAIN: "plain", MODAL_TASK_ID: "spoofed" },
      timeoutMs: 60_000,
      tags: { job: "one" },
    });
    const [stdout, stderr] = await Promise.all([
      sandbox.stdout.readText(),
      sandbox.stderr.readText(),
    ]);
    expect(stdout).toMatch(new RegExp(`^${named} ${inline} inline plain ta-\\w+\\n$`));
    expect(stderr).toBe("no\n");
    expect(await sandbox.wait()).toBe(3);
    expect(await sandbox.poll()).toBe(3);
    expect(await sandbox.getTags()).toEqual({ job: "one" });
    const seen = used.server.sandboxes().find(({ id }) => id === sandbox.sandboxId);
    expect(seen).toMatchObject({ backend, exitCode: 3, tags: { job: "one" } });
    expect(seen?.stdout.toString()).toBe(stdout);
  });

  it("goes on where a broken stream ended", async () => {
    const { client, app, image } = await parts();
    const method = backend === "V2" ? "SandboxStdioReadV2" : "SandboxGetLogs";
    used.server.fault(method, { breaks: "reset", afterMessages: 1 });
    used.server.fault(method, { status: "UNAVAILABLE", afterMessages: 1 });
    const sandbox = await client.sandboxes.create(app, image, {
      ...extra,
      command: ["sh", "-c", "for i in 1 2 3 4 5 6; do echo step-$i-ü; sleep 0.05; done"],
      timeoutMs: 60_000,
    });
    const lines = [1, 2, 3, 4, 5, 6].map((i) => `step-${i}-ü\n`);
    expect(await sandbox.stdout.readText()).toBe(lines.join(""));
  });

  it("passes on what is written to stdin", async () => {
    const { client, app, image } = await parts();
    const sandbox = await client.sandboxes.create(app, image, {
      ...extra,
      command: ["cat"],
      timeoutMs: 60_000,
    });
    await sandbox.stdin.writeText("line\n");
    await sandbox.stdin.close();
    expect(await sandbox.stdout.readText()).toBe("line\n");
  });
});

it("ends with 124 at the time limit and with 137 when terminated", async () => {
  const { client, app, image } = await parts();
  const ended = backends.map(async ([, extra]) => {
    const late = await client.sandboxes.create(app, image, {
      ...extra,
      command: ["sleep", "30"],
      timeoutMs: 1000,
    });
    const idle = await client.sandboxes.create(app, image, { ...extra, timeoutMs: 60_000 });
    expect(await idle.poll()).toBeNull();
    expect(await idle.terminate({ wait: true })).toBe(137);
    expect(await late.wait()).toBe(124);
  });
  await Promise.all(ended);
});

it("executes commands within a sandbox, and reads and writes its files", async () => {
  const { client, app, image } = await parts();
  const sandbox = await client.sandboxes.create(app, image, { timeoutMs: 60_000 });
  const only = token();
  const command = await sandbox.exec(["sh", "-c", 'echo "$ONLY"; cat; exit 4'], {
    secrets: [await client.secrets.fromObject({ ONLY: only })],
  });
  await command.stdin.writeText("typed\n");
  await command.stdin.close();
  expect(await command.stdout.readText()).toBe(`${only}\ntyped\n`);
  expect(await command.wait()).toBe(4);
  await sandbox.filesystem.writeText("content", "/run/file");
  expect(await sandbox.filesystem.readText("/run/file")).toBe("content");
  await expect(sandbox.filesystem.readText("/run/absent")).rejects.toThrow();
  await sandbox.terminate();
});

it("mounts volumes that outlive the sandbox", async () => {
  const { client, app, image } = await parts();
  const volume = await client.volumes.fromName("checkpoints", { createIfMissing: true });
  const runIn = async (script: string) => {
    const sandbox = await client.sandboxes.create(app, image, {
      command: ["sh", "-c", script],
      volumes: { "/mnt/data": volume.withMountOptions({ subPath: "runs/a" }) },
      timeoutMs: 60_000,
    });
    return sandbox.stdout.readText();
  };
  await runIn("echo kept > mnt/data/file");
  expect(await runIn("cat mnt/data/file")).toBe("kept\n");
});

it("lists what is running, by tag", async () => {
  const { client, app, image } = await parts();
  vi.stubEnv("MODAL_SANDBOX_V2", undefined);
  const tag = `team-${process.pid}`;
  const create = (name: string) =>
    client.sandboxes.create(app, image, { timeoutMs: 60_000, tags: { run: tag, name } });
  const [first, second] = [await create("first"), await create("second")];
  const listed = async () => {
    const ids: string[] = [];
    for await (const { sandboxId } of client.sandboxes.list({
      appId: app.appId,
      tags: { run: tag },
    })) {
      ids.push(sandboxId);
    }
    return ids.sort();
  };
  await sleep(5);
  expect(await listed()).toEqual([first.sandboxId, second.sandboxId].sort());
  await first.terminate({ wait: true });
  expect(await listed()).toEqual([second.sandboxId]);
  await second.terminate();
});
