/** The monitor stops a sandbox for what only the guard inside the container could see. */
import { createSecrets } from "nopeek";
import { readAuditLog } from "nopeek/audit";
import { describe, expect, it } from "vitest";
import { modal } from "../../../../adapters/modal/index.ts";
import { newKey, newPlace, openLog } from "../../../support/audit.ts";
import { randomToken } from "../../../support/values.ts";
import { useModalServer } from "../harness.ts";
import { backends, run, runtime, shell } from "./support.ts";

const used = useModalServer();

describe.each(backends)("%s", (_, extra) => {
  it("halts for a value that nopeek never saw, and tells it under one id", async () => {
    // Its last character may begin it anew on the next line: nothing decides that before the job goes on.
    const value = `${randomToken("hf_")}h`;
    used.server.seedSecret("hf", { TOKEN: value });
    await using from = createSecrets({ providers: [modal()] });
    const place = newPlace();
    const key = newKey();
    const audit = await openLog({ ...place, key });
    const begun = performance.now();
    const result = await run({
      on: runtime({ ...extra, shim: "required" }),
      from,
      secrets: { TOKEN: "modal://hf#TOKEN" },
      command: shell('echo begun; echo "token=$TOKEN"; sleep 30; echo end'),
      monitor: { onLeak: "halt" },
      audit,
    });
    await audit.close();
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(result).toMatchObject({ endedBy: "halt", exitCode: 10 });
    // The mask was held back, as the next line could have made it longer.
    expect(result.out).toBe("begun\ntoken=");
    expect(result.incident?.halted).toMatchObject({ name: "TOKEN", stream: "stdout" });
    expect(used.server.sandboxes().at(-1)?.stdout.toString()).not.toContain(value);
    const records = await readAuditLog({ ...place, key });
    const ofRun = records.filter((record) => "correlationId" in record);
    expect(ofRun.every(({ correlationId }) => correlationId === result.runId)).toBe(true);
    const types = ofRun.map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(["run.started", "secret.attached", "monitor.finding"]),
    );
    expect(types).toEqual(expect.arrayContaining(["monitor.halted", "finding.made", "run.ended"]));
  });

  it("tells once of a value that a pause left undecided", async () => {
    const value = `${randomToken("hf_")}h`;
    used.server.seedSecret("hf", { TOKEN: value });
    await using from = createSecrets({ providers: [modal()] });
    const result = await run({
      on: runtime({ ...extra, shim: "required" }),
      from,
      secrets: { TOKEN: "modal://hf#TOKEN" },
      command: shell('echo "token=$TOKEN"; sleep 0.5; echo more'),
    });
    expect(result.out).toBe("token=[REDACTED:TOKEN]\nmore\n");
    expect(result.redactions.total).toBe(1);
  });

  it("tells of the longer value too that a told one becomes part of", async () => {
    const inner = `${randomToken("hf_")}h`;
    const outer = `${inner}${randomToken("", 12)}`;
    used.server.seedSecret("both", { INNER: inner, OUTER: outer });
    await using from = createSecrets({ providers: [modal()] });
    const result = await run({
      on: runtime({ ...extra, shim: "required" }),
      from,
      secrets: { INNER: "modal://both#INNER", OUTER: "modal://both#OUTER" },
      command: shell(
        'printf %s "$INNER"; sleep 0.5; printf "%s\\n" "$(printf %s "$OUTER" | tail -c 12)"',
      ),
    });
    expect(result.out).toBe("[REDACTED:OUTER]\n");
    const names = result.redactions.counts.map(({ name }) => name);
    expect(names.sort()).toEqual(["INNER", "OUTER"]);
  });
});
