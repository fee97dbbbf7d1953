/** Output that breaks off at any place arrives whole, once and in order. */
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { relay } from "../../../../adapters/modal/runtime/relay.ts";

/** What the client throws when a stream breaks off and it gives up. */
class Broken extends Error {
  readonly code = 14;
  override readonly name = "ClientError";
}

type Chunk = string | Uint8Array;

/** A stream of the client: text whose bytes break off after so many, in chunks of so many. */
function streamOf(bytes: Buffer, end: number, chunk: number, asText = true): ReadableStream<Chunk> {
  const decoder = new TextDecoder();
  let at = 0;
  return new ReadableStream<Chunk>(
    {
      pull(controller) {
        for (;;) {
          if (at >= end) {
            if (end < bytes.length) controller.error(new Broken());
            else controller.close();
            return;
          }
          const part = bytes.subarray(at, Math.min(at + chunk, end));
          at += part.length;
          const piece = asText ? decoder.decode(part, { stream: true }) : part;
          if (piece.length === 0) continue;
          controller.enqueue(piece);
          return;
        }
      },
    },
    { highWaterMark: 0 },
  );
}

async function relayed(streams: readonly ReadableStream<Chunk>[], outageMs = 60_000) {
  let lost = 0;
  let first = 0;
  const waiting = [...streams];
  const { stream, done } = relay({
    open: async () => waiting.shift() ?? Promise.reject(new Error("opened too often")),
    outageMs,
    onFirst: () => void first++,
    onLost: () => void lost++,
  });
  const bytes = await buffer(stream);
  await done;
  return { bytes, lost, first, left: waiting.length };
}

const record = `\x1enopeek ${"ab".repeat(32)} {"n":1,"kind":"end","code":0}\n`;
const output = Buffer.from(
  `a\u00e9\u20ac\u{1f511}\r\n\x1b[31m${record}\0${"\u2588".repeat(4)} end`,
);

describe("a stream that breaks off", { timeout: 120_000 }, () => {
  // Each break waits for a tenth of a second, so all are tried at once.
  it.each([1, 2, 3, 7, 1000])("at every byte, in chunks of %i", async (chunk) => {
    const whole = () => streamOf(output, output.length, chunk);
    const results = await Promise.all(
      Array.from(output, (_, at) => relayed([streamOf(output, at, chunk), whole()])),
    );
    for (const result of results) {
      expect(result).toEqual({ bytes: output, lost: 0, first: 1, left: 0 });
    }
  });

  it("twice in a row, at every two places: later, earlier and the same", async () => {
    const places = Array.from(output.keys()).filter((at) => at % 9 === 0 || at < 12);
    const results = await Promise.all(
      places.flatMap((one) =>
        places.map((other) =>
          relayed([
            streamOf(output, one, 5),
            streamOf(output, other, 3),
            streamOf(output, output.length, 4),
          ]),
        ),
      ),
    );
    for (const result of results) {
      expect(result).toEqual({ bytes: output, lost: 0, first: 1, left: 0 });
    }
  });

  it("in long output, and in bytes", async () => {
    const long = Buffer.concat(
      Array.from({ length: 3000 }, (_, i) => Buffer.from(`${i} \u00fc\n`)),
    );
    const breaks = [1, 1023, 1024, 1025, 5000, long.length - 1];
    const results = await Promise.all(
      [true, false].flatMap((asText) =>
        breaks.map((at) =>
          relayed([
            streamOf(long, at, 700, asText),
            streamOf(long, Math.min(at + 999, long.length - 1), 4096, asText),
            streamOf(long, long.length, 100_000, asText),
          ]),
        ),
      ),
    );
    for (const result of results) {
      expect(result).toEqual({ bytes: long, lost: 0, first: 1, left: 0 });
    }
  });

  it("tells if what comes anew is not what was read", async () => {
    const other = Buffer.from(output);
    other[2] = 0x41;
    const anew = streamOf(other, other.length, 4);
    const changed = await relayed([streamOf(output, 30, 4), anew], 500);
    expect(changed.lost).toBe(1);
    // Of which the service has kept too little.
    const tail = streamOf(output.subarray(20), 10, 4);
    const short = await relayed([streamOf(output, 30, 4), tail], 500);
    expect(short.lost).toBe(1);
  });
});

it.each([
  ["longer than the room for texts", "\u2588".repeat(300_000)],
  ["text of two units a character", "\u{1f511}x".repeat(40_000)],
  ["ASCII at the edge of the room", "y".repeat(64 * 1024)],
  ["just beyond", `${"\u20ac".repeat(64 * 1024)}z`],
])("gives the bytes of a text: %s", async (_, text) => {
  const chunks = [text, "", text.slice(0, 3), text];
  const stream = new ReadableStream<Chunk>({
    start(controller) {
      for (const chunk of chunks) if (chunk !== "") controller.enqueue(chunk);
      controller.close();
    },
  });
  expect((await relayed([stream])).bytes.equals(Buffer.from(chunks.join("")))).toBe(true);
});

it("keeps chunks apart that are read later", async () => {
  // Texts are written into room that all share.
  const { stream } = relay({
    open: async () => ReadableStream.from(["first", "second", "third"]) as ReadableStream<Chunk>,
    outageMs: 0,
    onFirst: () => undefined,
    onLost: () => undefined,
  });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  expect(chunks.map(String)).toEqual(["first", "second", "third"]);
});
