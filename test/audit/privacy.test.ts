import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "nopeek";
import { type AuditEvent, eventTypes, opaque, readAuditLog, withheld } from "nopeek/audit";
import { createRedactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { everyEvent, newId, newKey, newPlace, openLog, textOf } from "../support/audit.ts";
import { printedForms } from "../support/printed-forms.ts";
import { codeOfLater } from "../support/scratch.ts";
import { unusualValues } from "../support/unusual-values.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "../support/values.ts";

const append = (log: { append(event: AuditEvent): Promise<number> }, event: object) =>
  log.append(event as AuditEvent);

/** What is known of persons, and other text that has no place in an audit log. */
const personal = [
  "Erika Mustermann",
  "erika.mustermann@example.org",
  "+49 30 901820",
  "4111 1111 1111 1111",
  "DE89 3704 0044 0532 0130 00",
  "born 1964-08-12",
  "52.5200,13.4050 home",
  '{"prompt":"my diagnosis is"}',
  "loss=0.3\nnext row",
  "python train.py --name Erika Mustermann",
];

it("takes an event of every type, and no other field", async () => {
  const [place, key] = [newPlace(), newKey()];
  const log = await openLog({ ...place, key });
  const events = everyEvent();
  expect(events).toHaveLength(Object.keys(eventTypes).length - 2);
  for (const event of events) {
    expect([event["type"], await codeOfLater(() => append(log, event))]).toEqual([
      event["type"],
      "none",
    ]);
    for (const wrong of [
      { ...event, message: "x" },
      { ...event, type: `${event["type"]}x` },
      { ...event, correlationId: "x" },
      { ...event, correlationId: undefined },
    ]) {
      expect(await codeOfLater(() => append(log, wrong))).toBe("AUDIT_EVENT_INVALID");
    }
  }
  for (const wrong of [{}, { type: "__proto__" }, { type: "constructor" }, { type: "" }]) {
    expect(await codeOfLater(() => append(log, wrong))).toBe("AUDIT_EVENT_INVALID");
  }
  await log.close();
  const records = await readAuditLog({ ...place, key });
  expect(records.map(({ type }) => type)).toEqual([
    "log.opened",
    ...events.map(({ type }) => type),
    "log.closed",
  ]);
  // What was read is what was given.
  expect(records.slice(1, -1)).toMatchObject(events);
});

it("no field but a note takes what is said about persons", async () => {
  const [place, key] = [newPlace(), newKey()];
  const log = await openLog({ ...place, key });
  for (const event of everyEvent()) {
    for (const name of Object.keys(event)) {
      if (name === "note") continue;
      for (const text of personal) {
        const code = await codeOfLater(() => append(log, { ...event, [name]: text }));
        expect([event["type"], name, text, code]).toEqual([
          event["type"],
          name,
          text,
          "AUDIT_EVENT_INVALID",
        ]);
      }
    }
  }
  await log.close();
  for (const text of personal) expect(textOf(place)).not.toContain(text);
});

it("opaque() withholds what does not fit", () => {
  for (const text of [...personal, "", "a b", `x"y`, "x\\y", "x\u2028y", "é"]) {
    for (const kind of ["name", "reference", "version", "word", "actor", "id"] as const) {
      expect([kind, text, opaque(kind, text)]).toEqual([kind, text, withheld]);
    }
  }
  expect(opaque("reference", "dotenv://erika@example.org/.env#TOKEN")).toBe(withheld);
  expect(opaque("reference", "https://user:pw@host/x")).toBe(withheld);
  expect(opaque("reference", "gcp-sm://p/s?version=latest#a")).not.toBe(withheld);
  expect(opaque("name", "HF_TOKEN")).toBe("HF_TOKEN");
});

it("records no form of a secret, whatever field it is planted in", async () => {
  const [place, key] = [newPlace(), newKey()];
  using redactor = createRedactor();
  const log = await openLog({ ...place, key, clean: (text) => redactor.redact(text) });
  const planted = [
    // Shapes that the patterns of some fields admit.
    randomToken("hf_"),
    randomToken("ghp_"),
    randomToken("AKIA", 16).toUpperCase(),
    randomToken("", 20).toLowerCase().replace(/^\d/, "a"),
    `aws-sm://${randomToken("", 24)}`,
    awkwardPassword(),
    privateKeyPem(),
    ...unusualValues(),
  ];
  for (const value of planted) new Secret(value, { name: "PLANTED" });
  let written = 0;
  for (const event of everyEvent()) {
    for (const name of Object.keys(event)) {
      for (const value of planted) {
        for (const text of [value, `before ${value} after`, `x://${value}`, `a-${value}`]) {
          const code = await codeOfLater(() => append(log, { ...event, [name]: text }));
          if (code === "none") written++;
          else expect(code).toBe("AUDIT_EVENT_INVALID");
        }
      }
    }
  }
  // Forms of a value in a note.
  const values = { token: randomToken(), password: awkwardPassword(), pem: privateKeyPem() };
  for (const [name, value] of Object.entries(values)) new Secret(value, { name });
  const forms = printedForms.map(({ value, print }) => print(values[value]));
  const closing = { type: "incident.closed", correlationId: newId(), incidentId: newId() };
  for (const form of forms.filter((form) => form.length < 1500)) {
    await append(log, { ...closing, actor: "uid:1", note: `we saw ${form} there` });
  }
  await log.close();
  const text = textOf(place);
  expect(written).toBeGreaterThan(1000);
  for (const value of [...planted, ...forms, key.reveal()]) {
    const inJson = JSON.stringify(value).slice(1, -1);
    expect(text.includes(value) || text.includes(inJson)).toBe(false);
  }
  // Controls: notes and the names of the secrets are there.
  expect(text).toContain("we saw [REDACTED:token] there");
  expect(text).toContain(withheld);
  const records = await readAuditLog({ ...place, key });
  expect(records.length).toBe(written + forms.filter((form) => form.length < 1500).length + 2);
}, 60_000);

it("a note is short, and clean before it is hashed", async () => {
  const [place, key] = [newPlace(), newKey()];
  const token = new Secret(randomToken(), { name: "TOKEN" });
  using redactor = createRedactor({ secrets: [token] });
  const log = await openLog({ ...place, key, clean: (text) => redactor.redact(text) });
  const closed = (note: unknown) =>
    append(log, {
      type: "incident.closed",
      correlationId: newId(),
      incidentId: newId(),
      actor: "uid:1",
      note,
    });
  const good = [
    "x".repeat(2048),
    "ü".repeat(1024),
    "\u0000".repeat(2048),
    "a\nb\u2028c",
    "\ud800",
    '","mac":"',
    `{"seq":0}\n{"seq":1,"mac":"${"0".repeat(64)}"}`,
    "",
    `token ${token.reveal()}`,
  ];
  for (const note of good) await closed(note);
  for (const note of ["x".repeat(2049), "ü".repeat(1025), undefined, null, 1, {}, ["a"]]) {
    expect(await codeOfLater(() => closed(note))).toBe("AUDIT_EVENT_INVALID");
  }
  await log.close();
  const notes = (await readAuditLog({ ...place, key })).flatMap((record) =>
    record.type === "incident.closed" ? [record.note] : [],
  );
  expect(notes).toEqual([...good.slice(0, -1), "token [REDACTED:TOKEN]"]);
});

it("refuses an event that a getter or clean throws in, without its words", async () => {
  const [place, key] = [newPlace(), newKey()];
  const log = await openLog({
    ...place,
    key,
    clean: () => {
      throw new Error(key.reveal());
    },
  });
  const event = { type: "rotation.revoked", correlationId: randomUUID(), version: "1" };
  const failed = await append(log, { ...event, reference: "aws-sm://x" }).catch((error) => error);
  expect(failed).toMatchObject({ code: "AUDIT_EVENT_INVALID" });
  expect(String(failed.stack)).not.toContain(key.reveal());
  await log.close();
  expect(readdirSync(place.dir)).toHaveLength(1);
  const [name = ""] = readdirSync(place.dir);
  expect(readFileSync(join(place.dir, name), "utf8").split("\n")).toHaveLength(3);
});

it("reads each field once: a getter gives no other text after it was looked at", async () => {
  const [place, key] = [newPlace(), newKey()];
  const value = randomToken();
  const redactor = createRedactor({ secrets: [new Secret(value, { name: "T" })] });
  const log = await openLog({ ...place, key, clean: (text) => redactor.redact(text) });
  for (const event of everyEvent()) {
    for (const field of Object.keys(event)) {
      const texts = [event[field], `${event[field]}","x":"${value}`, value];
      let reads = 0;
      const get = () => texts[Math.min(reads++, texts.length - 1)];
      const changing = Object.defineProperty({ ...event }, field, { get, enumerable: true });
      expect([field, await codeOfLater(() => append(log, changing)), reads]).toEqual([
        field,
        "none",
        1,
      ]);
    }
  }
  // Also where there is something to withhold.
  let reads = 0;
  const get = () => (reads++ === 0 ? value : `${value}x`);
  const sample = everyEvent().find(({ name }) => name !== undefined);
  await append(log, Object.defineProperty({ ...sample }, "name", { get, enumerable: true }));
  await log.close();
  expect(textOf(place)).not.toContain(value);
  const records = await readAuditLog({ ...place, key });
  // Control: that one is there, without its name.
  expect(records.at(-2)).toMatchObject({ type: sample?.["type"], name: withheld });
  expect(records.filter((record) => "x" in record)).toEqual([]);
});
