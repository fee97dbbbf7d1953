import { posix, win32 } from "node:path";
import fc from "fast-check";
import { isLocalPath, isWithin, type PathErrorCode, safeJoin } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import { codeOf, isSlow } from "../support/scratch.ts";

const ordinary = [
  "model.safetensors",
  "model-00001-of-00030.safetensors",
  "pytorch_model.bin.index.json",
  "checkpoints/step=1000/optimizer.pt",
  "data/train/part-00000-of-01024.parquet",
  "runs/2026-01-31T10.20.30/events.out.tfevents.1",
  ".hidden/.config",
  "a..b",
  "..a",
  "file with spaces.txt",
  "größe/naïve café.txt",
  "データ/学習.jsonl",
  "данные/обучение.csv",
  "emoji-🙂.png",
  "100% done.txt",
  "C++ (notes) [v2] {x} & more, 'quoted'; #1 @home!.md",
  "./a//b/./c/",
];

const hostile: readonly (readonly [PathErrorCode, string])[] = [
  // Out of the root
  ["PATH_ESCAPE", ".."],
  ["PATH_ESCAPE", "../etc/passwd"],
  ["PATH_ESCAPE", "a/../../etc/passwd"],
  ["PATH_ESCAPE", "a/b/.."],
  ["PATH_ESCAPE", "../data-evil"],
  ["PATH_ESCAPE", "/etc/passwd"],
  ["PATH_ESCAPE", "//etc/passwd"],
  // Windows: separators, drives, devices, streams, short names
  ["PATH_ESCAPE", "..\\..\\secret"],
  ["PATH_ESCAPE", "a\\..\\..\\secret"],
  ["PATH_ESCAPE", "C:\\Windows"],
  ["PATH_ESCAPE", "C:/Windows"],
  ["PATH_ESCAPE", "C:secret"],
  ["PATH_ESCAPE", "\\\\server\\share"],
  ["PATH_ESCAPE", "\\\\?\\C:\\x"],
  ["PATH_ESCAPE", "\\\\.\\PhysicalDrive0"],
  ["PATH_INVALID", "CON"],
  ["PATH_INVALID", "a/nul"],
  ["PATH_INVALID", "aux.txt"],
  ["PATH_INVALID", "com1.tar.gz"],
  ["PATH_INVALID", "COM¹"],
  ["PATH_INVALID", "lpt³.txt"],
  ["PATH_INVALID", "CONIN$"],
  ["PATH_INVALID", "NUL "],
  ["PATH_INVALID", "file.txt:stream"],
  ["PATH_INVALID", "file.txt::$DATA"],
  ["PATH_INVALID", "PROGRA~1"],
  ["PATH_INVALID", "name."],
  ["PATH_INVALID", "name "],
  ["PATH_ESCAPE", ".. /x"],
  ["PATH_ESCAPE", "..."],
  ["PATH_ESCAPE", " "],
  ["PATH_INVALID", "what?.txt"],
  // Encoded, twice, overlong, in full width
  ["PATH_ESCAPE", "%2e%2e/x"],
  ["PATH_ESCAPE", "%2e%2e%2fx"],
  ["PATH_ESCAPE", "..%2fx"],
  ["PATH_ESCAPE", "..%5cx"],
  ["PATH_ESCAPE", "%252e%252e%252fx"],
  // As Latin-1 it holds a superscript two, which is a two when normalized, and "%2e" is a dot.
  ["PATH_ESCAPE", "%%b2e%%b2e"],
  // A decoder that drops what is no UTF-8 puts "%2e" together.
  ["PATH_ESCAPE", "%%ff2e%%ff2e"],
  ["PATH_ESCAPE", "%25252e%25252e"],
  ["PATH_ESCAPE", "%c0%ae%c0%ae/x"],
  ["PATH_ESCAPE", "..%c0%afx"],
  ["PATH_ESCAPE", "%e0%80%ae"],
  ["PATH_ESCAPE", "..%u2215x"],
  ["PATH_ESCAPE", "％2e％2e"],
  ["PATH_ESCAPE", "%2f\u0307x"],
  ["PATH_INVALID", "a%00.png"],
  ["PATH_INVALID", "CON%2etxt"],
  // Unicode that becomes something else
  ["PATH_ESCAPE", "．．/x"],
  ["PATH_ESCAPE", "‥/x"],
  ["PATH_ESCAPE", "․․"],
  ["PATH_ESCAPE", "a／b"],
  ["PATH_ESCAPE", "a＼b"],
  ["PATH_ESCAPE", "℀"],
  ["PATH_INVALID", "a∕b"],
  ["PATH_INVALID", "a⁄b"],
  ["PATH_INVALID", "a¥b"],
  ["PATH_INVALID", "ＣＯＮ"],
  ["PATH_INVALID", "a\u202egnp.exe"],
  ["PATH_INVALID", "a\u200bb"],
  // No text
  ["PATH_INVALID", "a\0b"],
  ["PATH_INVALID", "a\nb"],
  ["PATH_INVALID", "a\x1b[2Jb"],
  ["PATH_INVALID", "\ud800"],
  ["PATH_INVALID", "a\ufffdb"],
  ["PATH_INVALID", "~/x"],
  ["PATH_INVALID", "~root/x"],
  // Nothing, or too much
  ["PATH_INVALID", ""],
  ["PATH_INVALID", "."],
  ["PATH_INVALID", "./"],
  ["PATH_INVALID", "x".repeat(256)],
  ["PATH_INVALID", "é".repeat(128)],
  ["PATH_INVALID", "a/".repeat(65)],
  ["PATH_INVALID", "a".repeat(5000)],
];

describe("safeJoin", () => {
  it.each(ordinary)("joins %j", (name) => {
    expect(isLocalPath(name)).toBe(true);
    expect(safeJoin("/srv/data", name)).toBe(posix.join("/srv/data", name).replace(/\/$/, ""));
  });

  it.each(hostile)("refuses with %s: %j", (code, name) => {
    expect(codeOf(() => safeJoin("/srv/data", name))).toBe(code);
    expect(codeOf(() => safeJoin("/srv/data", "a", name, "b"))).toBe(code);
    expect(isLocalPath(name)).toBe(false);
  });

  it("refuses what is no text, with a code", () => {
    for (const value of [undefined, null, 1, {}, ["a"], Buffer.from("a")]) {
      expect(codeOf(() => safeJoin("/srv/data", value as string))).toBe("PATH_INVALID");
      expect(isLocalPath(value)).toBe(false);
    }
  });

  it("keeps hostile names out of its messages", () => {
    const name = `\x1b[31m\u202e/../${"x".repeat(500)}`;
    const act = () => safeJoin("/srv/data", name);
    expect(act).toThrow(/^[\x20-\x7e]{1,250}$/);
  });

  it("takes a root that restricts something, and gives it back if there is nothing to join", () => {
    expect(safeJoin("/srv/data/")).toBe("/srv/data");
    expect(codeOf(() => safeJoin("/", "a"))).toBe("ROOT_UNRESTRICTED");
    expect(codeOf(() => safeJoin("/.", "a"))).toBe("ROOT_UNRESTRICTED");
    for (const root of ["data", "./data", "/srv/../data", "//srv/data", "/srv/\ndata"]) {
      expect(codeOf(() => safeJoin(root, "a"))).toBe("ROOT_INVALID");
    }
    expect(codeOf(() => safeJoin("", "a"))).toBe("PATH_INVALID");
  });
});

describe("isWithin", () => {
  it.each([
    ["/data", "/data", true],
    ["/data", "/data/a/b", true],
    ["/data/", "/data/a", true],
    ["/data", "/data/..a", true],
    ["/data", "/data/a/../b", true],
    ["/data", "/data-evil", false],
    ["/data", "/data/../etc", false],
    ["/data", "/", false],
    ["/data", "data/a", false],
    ["/data", "/data/a\0b", false],
    ["/Data", "/data/a", false],
  ])("%j holds %j: %j", (root, path, expected) => {
    expect(isWithin(root, path)).toBe(expected);
  });
});

/** Pieces that hostile paths are made of, and some that are not. */
const atoms = [
  ..."a b data model .. . ... / // \\ : ~ ~1 % %% %2 2e %2e %2E %2f %2F %5c %5C %00 %25".split(" "),
  ..."%252e %252f %25252f %c0%ae %c0%af %e0%80%af %u002e ． ／ ＼ ‥ ․ ℀ ％ % 2 e f 5 c".split(" "),
  ..."C: c:/ CON nul COM1 .txt \u0307 \u0338 \u200b \u202e é e\u0301 K ﬁ ½ ≮ 日本 🙂".split(" "),
  ...[" ", ". ", " .", "\0", "\n", "\ud800", "?", "*", "|", '"'],
];

describe("whatever is put together", () => {
  it("never leaves the root, however it is decoded", { timeout: 600_000 }, () => {
    const root = "/srv/data";
    let accepted = 0;
    const name = fc.array(fc.constantFrom(...atoms), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(name, (pieces) => {
        const input = pieces.join("");
        if (!isLocalPath(input)) return;
        accepted++;
        const joined = safeJoin(root, input);
        for (const reading of lenientReadings(input)) {
          expect(reading).not.toMatch(/\0|\\/);
          expect(leaves(reading)).toBe(false);
        }
        expect(isWithin(root, joined)).toBe(true);
      }),
      { numRuns: isSlow ? 1_000_000 : 50_000 },
    );
    // Otherwise nothing was tried.
    expect(accepted).toBeGreaterThan(1000);
  });
});

/** Whether a relative path leaves its folder on POSIX or on Windows. */
function leaves(relative: string): boolean {
  const there = posix.resolve("/srv/data", relative);
  const onWindows = win32.resolve("D:\\srv\\data", relative);
  return !(isBelow(there, "/srv/data", "/") && isBelow(onWindows, "D:\\srv\\data", "\\"));
}

function isBelow(path: string, root: string, separator: string): boolean {
  return path.startsWith(root + separator);
}

/** All that up to four decodings and normalizations, in any order, make of a text. */
function lenientReadings(text: string): Set<string> {
  const found = new Set([text]);
  let latest = [text];
  for (let round = 0; round < 4; round++) {
    const next = latest.flatMap((reading) => [
      reading.normalize("NFKC"),
      reading.normalize("NFD"),
      decodeBytes(reading),
      decodeSingly(reading),
    ]);
    latest = next.filter((reading) => !found.has(reading));
    for (const reading of latest) found.add(reading);
  }
  return found;
}

function decodeBytes(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    new TextDecoder().decode(
      Uint8Array.from(run.match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16)),
    ),
  );
}

function decodeSingly(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_all, pair: string) =>
    String.fromCharCode(Number.parseInt(pair, 16)),
  );
}
