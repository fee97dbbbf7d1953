/** Secrets declared as files, in every way that a sandbox can get them. */
import { randomBytes } from "node:crypto";
import { createSecrets } from "nopeek";
import { memory } from "nopeek/testing";
import { describe, expect, it } from "vitest";
import { modal } from "../../../../adapters/modal/index.ts";
import { privateKeyPem, randomToken } from "../../../support/values.ts";
import { useModalServer } from "../harness.ts";
import { backends, run, runtime, shell } from "./support.ts";

const used = useModalServer();
function asFiles(values: Record<string, string | Uint8Array>) {
  const references = Object.entries(values).map(([name, value]) => [`mem://${name}`, value]);
  return {
    from: createSecrets({ providers: [memory(Object.fromEntries(references))] }),
    secrets: Object.fromEntries(
      Object.keys(values).map((name) => [name, { from: `mem://${name}`, as: "file" } as const]),
    ),
  };
}

const modes = ["required", "off"] as const;
const ways = backends.flatMap(([backend, extra]) =>
  modes.flatMap((shim) => [
    [`${backend}, shim ${shim}`, { ...extra, shim }] as const,
    [`${backend}, shim ${shim}, exec-scoped`, { ...extra, shim, execScoped: true }] as const,
  ]),
);

describe.each(ways)("%s", (_, options) => {
  it("the variable holds the path of a private file with the very bytes", async () => {
    const pem = privateKeyPem();
    const bytes = randomBytes(300);
    const declared = asFiles({ KEY: pem, BLOB: bytes });
    const result = await run({
      on: runtime(options),
      // The test's sandboxes are folders of this machine: they find what was uploaded below theirs.
      command: shell(
        'for f in "$KEY" "$BLOB"; do [ -e "$f" ] || f=".$f"; stat -c %a "$f"; cksum < "$f"; done; cat "$KEY" 2>/dev/null || cat ".$KEY"',
      ),
      ...declared,
    });
    const local = await run({
      command: shell('cksum < "$KEY"; cksum < "$BLOB"'),
      ...declared,
    });
    expect(result.notices).toEqual([]);
    const [keyMode, key, blobMode, blob, ...rest] = result.out.split("\n");
    expect([key, blob]).toEqual(local.out.trim().split("\n"));
    expect([keyMode, blobMode]).toEqual(["600", "600"]);
    expect(rest.join("\n")).toMatch(/^\[REDACTED:KEY\]\n?$/);
  });
});

describe.each(backends)("%s", (_, extra) => {
  it("refuses to attach a secret of Modal as a file, which it cannot read, and sends nothing", async () => {
    used.server.seedSecret("hf", { KEY: randomToken() });
    await using from = createSecrets({ providers: [modal()] });
    const before = used.server.sandboxes().length;
    const work = run({
      on: runtime(extra),
      from,
      command: ["true"],
      secrets: { KEY: { from: "modal://hf#KEY", as: "file" } },
    });
    await expect(work).rejects.toMatchObject({
      code: "SECRET_NOT_ATTACHABLE",
      message: expect.stringMatching(/KEY.*as a variable.*second source/),
    });
    expect(used.server.sandboxes()).toHaveLength(before);
  });

  it("takes the second source for it, which can be read", async () => {
    const pem = privateKeyPem();
    used.server.seedSecret("hf", { KEY: pem });
    await using from = createSecrets({ providers: [modal(), memory({ "mem://KEY": pem })] });
    const result = await run({
      on: runtime({ ...extra, shim: "required" }),
      from,
      command: shell('[ -f "$KEY" ] && cat "$KEY"'),
      secrets: { KEY: { from: ["modal://hf#KEY", "mem://KEY"], as: "file" } },
    });
    expect(result).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^\[REDACTED:KEY\]/) });
  });

  it("refuses a file that is too long for the variable it travels in, and sends nothing", async () => {
    const declared = asFiles({ KEY: randomBytes(70_000).toString("hex") });
    const before = used.server.calls.length;
    await expect(
      run({ on: runtime({ ...extra, shim: "required" }), command: ["true"], ...declared }),
    ).rejects.toMatchObject({
      code: "SECRET_REQUEST_INVALID",
      message: expect.stringMatching(/KEY.*128 KiB.*shim: "off"/),
    });
    expect(used.server.calls).toHaveLength(before);
    // Without the guard it is uploaded.
    const result = await run({
      on: runtime({ ...extra, shim: "off" }),
      command: shell('wc -c < ".$KEY"'),
      ...declared,
    });
    expect(result.out).toBe("140000\n");
  });
});
