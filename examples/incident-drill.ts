// A drill: a job leaks a credential of a store on this machine. Then it is halted, the scope searched,
// the credential rotated, and the incident reviewed and closed. The report follows from the log alone.
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createSecrets, Secret } from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { openAuditLog, readAuditLog } from "nopeek/audit";
import * as incidents from "nopeek/incident";
import { launch } from "nopeek/launch";
import { createRedactor } from "nopeek/redact";
import { RotationAudit, random, rotate } from "nopeek/rotate";
import { startAws } from "nopeek/testing";

const folder = mkdtempSync(join(tmpdir(), "nopeek-drill-"));
const place = { dir: join(folder, "audit"), anchors: join(folder, "anchors") };
const key = new Secret(randomBytes(32).toString("hex"), { name: "NOPEEK_AUDIT_KEY" });
const redactor = createRedactor(); // knows every secret of this process
const clean = (text: string) => redactor.redact(text);
await using server = await startAws();
const reference = "aws-sm://ml/hf";
server.seed("ml/hf", `hf_${randomBytes(24).toString("hex")}`);
const client = new SecretsManagerClient(server.clientOptions);
await using from = createSecrets({ providers: [aws({ client })] });

await using audit = await openAuditLog({ ...place, key, clean });
const fold = async () => incidents.foldIncidents(await readAuditLog({ ...place, key }));
const find = async () => incidents.findIncident(await fold(), runId);

const runId = randomUUID();
const print = "console.log(process.env.HF_TOKEN); setInterval(() => {}, 1000)";
const command = [process.execPath, "-e", print];
const secrets = { HF_TOKEN: reference };
const run = await launch({ command, secrets, from, audit, runId, monitor: { onLeak: "halt" } });
console.log(`ended by ${run.endedBy}; a copy of the value lies in a file of its own`);
const log = join(folder, "train.log");
writeFileSync(log, `epoch 1\n{"token":"${(await from.get(reference)).reveal()}"}\n`);

const scope = await incidents.findScope(await find(), { audit, from, paths: [log] });
const [target, leaked] = [random(), { leaked: true, overlapMs: 0 }];
const about = { correlationId: runId, reference, strategy: target.strategy, ...leaked };
const recording = new RotationAudit({ audit, ...about });
await recording.started();
const onEvent = recording.take.bind(recording);
const options = { from, secret: reference, target, ...leaked, apply: true, onEvent };
await recording.ended(await rotate(options));
await incidents.reviewIncident(await find(), { audit, severity: "high", verdict: "real" });
await incidents.recordRotation(await find(), { audit });
await incidents.closeIncident(await find(), { audit, note: "the client prints no headers now" });
const contacts = { "on call": "+1 555 0100" };
const report = incidents.reportOf(await find(), {
  incidents: await fold(),
  scope,
  contacts,
  clean,
});
console.log(incidents.asMarkdown(report));
client.destroy();
await audit.close();
rmSync(folder, { recursive: true });
