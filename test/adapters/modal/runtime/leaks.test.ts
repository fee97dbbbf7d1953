/** Values go to Modal in the fields made for them, and come back in no form. */
import { inspect } from "node:util";
import { createSecrets, Secret } from "nopeek";
import { afterAll, describe, expect, it } from "vitest";
import { modal, modalGuard } from "../../../../adapters/modal/index.ts";
import { emptyFolder } from "../../../support/command.ts";
import { printedForms } from "../../../support/printed-forms.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "../../../support/values.ts";
import { useModalServer } from "../harness.ts";
import { backends, run, runtime, shell } from "./support.ts";

const used = useModalServer();
const sentinel = randomToken("sentinel_");
const named = randomToken("named_");

/** The harness searches what was received and printed; here it must have had something to find. */
afterAll(() => {
  expect(used.server.calls.length).toBeGreaterThan(50);
  expect(inspect(used.server.calls, { depth: 9, maxArrayLength: null })).toContain(sentinel);
});

describe.each(backends)("%s", (backend, extra) => {
  it.each([
    ["in the sandbox", {}],
    ["in the command alone", { execScoped: true }],
  ])("sends values in their fields only, with secrets %s", async (_, scope) => {
    used.server.seedSecret("hf", { NAMED: named, UNDECLARED: sentinel });
    const dir = emptyFolder({
      "main.sh": 'echo "$HF_TOKEN $NAMED $UNDECLARED" | tee -a /dev/stderr; cat "$KEY"',
    });
    const on = runtime({ ...extra, ...scope, createVolumes: true });
    await using from = createSecrets({ providers: [modal()] });
    const result = await run({
      on,
      from,
      command: ["sh", "main.sh"],
      code: { dir },
      mounts: { "/data": { readOnly: true, volume: "sets" } },
      env: { PLAIN: "plain" },
      secrets: {
        HF_TOKEN: new Secret(sentinel, { name: "HF_TOKEN" }),
        NAMED: "modal://hf#NAMED",
        KEY: { from: "modal://hf#KEY", optional: true },
      },
    });
    expect(result).toMatchObject({ out: "[REDACTED:HF_TOKEN] [REDACTED:NAMED] \n" });
    expect(result.leaks.filter(({ where }) => where === "container").length).toBeGreaterThan(3);
    expect(inspect([on, result], { depth: 9, showHidden: true })).not.toContain(sentinel);
    const seen = used.server.sandboxes().at(-1);
    expect(seen?.backend).toBe(backend);
    for (const bytes of [seen?.stdout, seen?.stderr]) {
      expect(bytes?.includes(sentinel) || bytes?.includes(named)).toBe(false);
    }
  });

  it("stores one secret for many launches at most, and none inline", async () => {
    const count = () =>
      used.server.calls.filter(
        ({ method, request }) =>
          method === "SecretGetOrCreate" && request["objectCreationType"] === 5,
      ).length;
    const on = runtime(extra);
    const before = count();
    for (let i = 0; i < 3; i++) {
      const secrets = { HF_TOKEN: new Secret(sentinel, { name: "HF_TOKEN" }) };
      await run({ on, command: ["true"], secrets, env: { LR: String(i) } });
    }
    expect(count() - before).toBe(backend === "V1" ? 1 : 0);
  });
});

it("stores a secret anew that Modal has forgotten, once", async () => {
  const on = runtime({ gpu: "T4" });
  const secrets = { HF_TOKEN: new Secret(sentinel, { name: "HF_TOKEN" }) };
  await run({ on, command: ["true"], secrets });
  used.server.fault("SandboxCreate", { status: "NOT_FOUND", details: "Secret not found" });
  expect(await run({ on, command: shell("exit 3"), secrets })).toMatchObject({ exitCode: 3 });
  used.server.fault("SandboxCreate", { status: "NOT_FOUND", times: 2 });
  await expect(run({ on, command: ["true"], secrets })).rejects.toMatchObject({
    code: "LAUNCH_FAILED",
  });
});

it("tells nothing of what the server echoes", async () => {
  const secrets = { HF_TOKEN: new Secret(sentinel, { name: "HF_TOKEN" }) };
  for (const method of ["AppGetOrCreate", "ImageGetOrCreate", "SandboxCreateV2"]) {
    for (const status of ["INVALID_ARGUMENT", "PERMISSION_DENIED", "INTERNAL"] as const) {
      used.server.fault(method, { status, details: `bad ${sentinel}`, times: 4 });
      const error = await run({ on: runtime(), command: ["true"], secrets }).catch((e) => e);
      used.server.clearFaults();
      expect(error).toMatchObject({ name: "SecretError" });
      expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain(sentinel);
    }
  }
}, 60_000);

it("has a guard for clients of the user that refuses values outside their fields", async () => {
  const { ModalClient } = await import("modal");
  const client = new ModalClient({ logLevel: "error", grpcMiddleware: [modalGuard() as never] });
  new Secret(sentinel, { name: "HF_TOKEN" });
  const app = await client.apps.fromName("train", { createIfMissing: true });
  const image = client.images.fromRegistry("python:3");
  const before = used.server.sandboxes().length;
  const encoded = Buffer.from(sentinel).toString("base64");
  for (const params of [
    { command: ["curl", `-HAuthorization: ${sentinel}`] },
    { command: ["x", encoded] },
    { tags: { [sentinel]: "x" } },
    { workdir: `/${sentinel}` },
  ]) {
    await expect(client.sandboxes.create(app, image, params)).rejects.toMatchObject({
      code: "TEXT_HOLDS_SECRET",
    });
  }
  const bad = image.dockerfileCommands([`ENV A=${sentinel}`]);
  await expect(client.sandboxes.create(app, bad, {})).rejects.toMatchObject({
    code: "TEXT_HOLDS_SECRET",
  });
  expect(used.server.sandboxes()).toHaveLength(before);
  const secrets = [await client.secrets.fromObject({ A: sentinel })];
  const sandbox = await client.sandboxes.create(app, image, { secrets, timeoutMs: 5000 });
  await sandbox.terminate();
});

describe("every printed form", () => {
  const values = { token: randomToken(), password: awkwardPassword(), pem: privateKeyPem() };
  const forms = printedForms.map((form) => form.print(values[form.value]));
  const program = `
import json, os, sys, time
forms = json.load(open("forms.json"))
for out in (sys.stdout.buffer, sys.stderr.buffer):
    for form in forms:
        data = form.encode()
        out.write(b"<" + data + b">\\n")
        out.flush()
        for byte in b"<" + data + b">\\n":
            out.write(bytes([byte]))
            out.flush()
`;

  it.each([
    ["with", "required", "modal"],
    ["with", "required", "values"],
    ["without", "off", "values"],
  ] as const)(
    "is masked %s the shim (%s, %s)",
    async (_, shim, from) => {
      used.server.seedSecret("all", {
        TOKEN: values.token,
        PASSWORD: values.password,
        PEM: values.pem,
      });
      // The forms reach the container as data of the job, not through the launch.
      used.server.seedSecret("data", {});
      const on = runtime({ shim });
      const job = {
        on,
        command: ["sh", "-c", `printf %s "$FORMS" > forms.json; exec python3 -c "$PROGRAM"`],
        env: { PROGRAM: program, FORMS: "" },
      };
      const escaped = JSON.stringify(forms).replace(
        /[^ -~]/g,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
      used.server.seedSecret("data", { FORMS: escaped });
      await using store = createSecrets({ providers: [modal()] });
      const secrets =
        from === "modal"
          ? { TOKEN: "modal://all#TOKEN", PASSWORD: "modal://all#PASSWORD", PEM: "modal://all#PEM" }
          : {
              TOKEN: new Secret(values.token),
              PASSWORD: new Secret(values.password),
              PEM: new Secret(values.pem),
            };
      const { FORMS: _forms, ...env } = job.env;
      const result = await run({
        ...job,
        env,
        from: store,
        secrets: { ...secrets, FORMS: "modal://data#FORMS" },
      });
      expect(result.exitCode).toBe(0);
      const lines = printedForms.length * 2;
      for (const text of [result.out, result.err]) {
        expect(text.match(/\[REDACTED:/g)?.length).toBeGreaterThanOrEqual(lines);
        for (const form of forms) expect(text).not.toContain(form);
        expect(text).not.toContain(values.token);
      }
      const seen = used.server.sandboxes().at(-1);
      for (const bytes of [seen?.stdout, seen?.stderr]) {
        for (const form of forms) {
          expect(bytes?.includes(form)).toBe(shim === "off");
        }
      }
    },
    90_000,
  );
});
