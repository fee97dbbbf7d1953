// Prints texts in every way a Node program can, through the drop-in that is named. Standard input
// holds { dropIn, values, texts }; each text comes out once a way, between marks.
import { Readable, Writable } from "node:stream";
import { json } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
import { Secret } from "nopeek";
import { redactConsole, redactStdio } from "nopeek/log";

const { dropIn, values, texts } = await json(process.stdin);
for (const value of values) new Secret(value, { name: "S" });

const { stdout } = process;
const done = (write) => new Promise((settle) => write(settle));
const halves = (bytes) => [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)];
const byConsole = {
  log: (text) => console.log(text),
  info: (text) => console.info("%s", text),
  group: (text) => {
    console.group(text);
    console.groupEnd();
  },
  captured: (text) => log(text),
};
const byStream = {
  text: (text) => stdout.write(text),
  callback: (text) => done((settle) => stdout.write(text, settle)),
  "encoding and callback": (text) => done((settle) => stdout.write(text, "utf8", settle)),
  buffer: (text) => stdout.write(Buffer.from(text)),
  bytes: (text) => stdout.write(Uint8Array.from(Buffer.from(text))),
  view: (text) => stdout.write(new DataView(Uint8Array.from(Buffer.from(text)).buffer)),
  hex: (text) => stdout.write(Buffer.from(text).toString("hex"), "hex"),
  base64: (text) => stdout.write(Buffer.from(text).toString("base64"), "base64"),
  latin1: (text) => stdout.write(Buffer.from(text).toString("latin1"), "latin1"),
  utf16le: (text) => {
    const even = Buffer.byteLength(text) % 2 === 0 ? text : `${text}\n`;
    stdout.write(Buffer.from(even).toString("utf16le"), "utf16le");
  },
  "default encoding": (text) => {
    stdout.setDefaultEncoding("hex");
    stdout.write(Buffer.from(text).toString("hex"));
    stdout.setDefaultEncoding("utf8");
  },
  "two writes": (text) => {
    for (const half of halves(Buffer.from(text))) stdout.write(half);
  },
  "byte by byte": (text) => {
    for (const byte of Buffer.from(text)) stdout.write(Buffer.of(byte));
  },
  corked: (text) => {
    stdout.cork();
    for (const half of halves(Buffer.from(text))) stdout.write(half);
    stdout.uncork();
  },
  beneath: (text) => Writable.prototype.write.call(stdout, text),
  "beneath, corked": (text) => {
    stdout.cork();
    for (const half of halves(Buffer.from(text))) Writable.prototype.write.call(stdout, half);
    stdout.uncork();
  },
  "above and beneath": (text) => {
    const [first, second] = halves(Buffer.from(text));
    stdout.write(first);
    Writable.prototype.write.call(stdout, second);
  },
  "at the bottom": async (text) => {
    // Past the queue: it has to be empty.
    await done((settle) => stdout.write("", settle));
    await done((settle) => stdout._write(text, "utf8", settle));
  },
  pipe: (text) =>
    done((settle) => Readable.from([text]).on("end", settle).pipe(stdout, { end: false })),
  console: (text) => console.log(text),
  worker: (text) =>
    done((settle) =>
      new Worker("process.stdout.write(require('node:worker_threads').workerData)", {
        eval: true,
        workerData: text,
      }).on("exit", settle),
    ),
};
const { log } = console;
const dropIns = { console: redactConsole, stdio: redactStdio, none: () => undefined };
dropIns[dropIn]();
const ways = dropIn === "console" ? byConsole : byStream;
for (const [way, print] of Object.entries(ways)) {
  for (const [index, text] of texts.entries()) {
    // A worker is a thread: a few of them show it.
    if (way === "worker" && index % 12 > 0) continue;
    await print(`<${way} ${index}|${text}|>\n`);
  }
}
// What is held when the process ends, and a beginning of a secret that stays one.
stdout.write(`<end|${values[0].slice(0, 9)}|>`.slice(0, -2));
