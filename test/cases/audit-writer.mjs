// Writes to an audit log until it is killed or done, and notes each acknowledged record at once.
// Arguments: folder of the log, of the anchors, file of acknowledgements, callers, records a caller.
import { randomUUID } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { Secret } from "nopeek";
import { opaque, openAuditLog } from "nopeek/audit";

const [dir, anchors, acksFile, callers, each] = process.argv.slice(2);
const acks = openSync(acksFile, "a");
const failures = [];
try {
  process.stdout.write("opening\n");
  const log = await openAuditLog({
    dir,
    anchors,
    key: new Secret(process.env.KEY),
    clean: (text) => text,
    anchorEvery: 40,
    onFailure: ({ code }) => failures.push(code),
  });
  const correlationId = opaque("id", randomUUID());
  const one = async () => {
    for (let count = 0; count < Number(each); count++) {
      const event = { type: "run.notice", correlationId, code: "plain-values", count };
      const seq = await log.append(event);
      writeSync(acks, `${log.fileName} ${seq}\n`);
      process.stdout.write(`${seq}\n`);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Number(callers) }, one));
  for (const { reason } of ended) if (reason) failures.push(`append ${reason.code}`);
  // Once it failed, nothing is taken any more.
  const late = await log.append({ type: "run.notice", correlationId, code: "plain-values" }).then(
    () => "taken",
    ({ code }) => code,
  );
  failures.push(`late ${late}`);
  await log.close();
} catch ({ code }) {
  failures.push(`thrown ${code}`);
}
process.stdout.write(`${JSON.stringify(failures)}\n`);
