// Masks secrets in text and in a stream, in whatever form they stand there.
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { Secret } from "nopeek";
import { createRedactor } from "nopeek/redact";

const token = new Secret(randomBytes(24).toString("hex"), { name: "API_TOKEN" });
const redactor = createRedactor({
  secrets: [token],
  onFinding: ({ name, form }) => console.log(`found ${name} as ${form}`),
});

console.log(redactor.redact(`GET /?key=${token.reveal()}`));

const basic = Buffer.from(`ci:${token.reveal()}`).toString("base64");
const pieces = [`authorization: Basic ${basic.slice(0, 30)}`, basic.slice(30)];
console.log(await text(Readable.from(pieces).pipe(redactor.stream())));
