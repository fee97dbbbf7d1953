/** What the unwrapped view leaves out: terminal escape sequences (ECMA-48), line breaks, indentation. */

/** What the bytes after the last one read belong to. */
export const inText = 0;
export const afterBreak = 1;
export const afterEscape = 2;
const inControlSequence = 3;
/** Operating system command, device control string and their like: up to BEL or ESC \\. */
const inControlString = 4;
const beforeStringEnd = 5;
/** Intermediate bytes of an escape sequence, as in ESC ( B. */
const inEscapeSequence = 6;

const bell = 0x07;
const tab = 0x09;
export const newline = 0x0a;
export const carriageReturn = 0x0d;
export const escapeByte = 0x1b;
const space = 0x20;

/** 1 for the bytes of text that begin something that is left out. */
export const beginsGap = new Uint8Array(256);
for (const byte of [newline, carriageReturn, escapeByte]) beginsGap[byte] = 1;

/** P, X, ], ^ and _ after ESC begin a control string. */
const controlStrings: ReadonlySet<number> = new Set([0x50, 0x58, 0x5d, 0x5e, 0x5f]);

/** The byte is text and ends what was skipped. */
export const endsBefore = -1;

/** The mode after one more byte of something that is left out. */
export function following(mode: number, byte: number): number {
  switch (mode) {
    case afterBreak:
      return byte === newline || byte === carriageReturn || byte === space || byte === tab
        ? afterBreak
        : endsBefore;
    case afterEscape:
      if (byte === 0x5b) return inControlSequence;
      if (controlStrings.has(byte)) return inControlString;
      return byte >= 0x20 && byte <= 0x2f ? inEscapeSequence : inText;
    case inEscapeSequence:
      return byte >= 0x20 && byte <= 0x2f ? inEscapeSequence : inText;
    case inControlSequence:
      if (byte >= 0x40 && byte <= 0x7e) return inText;
      return byte >= 0x20 && byte <= 0x3f ? inControlSequence : endsBefore;
    case inControlString:
      if (byte === escapeByte) return beforeStringEnd;
      return byte === bell ? inText : inControlString;
    default:
      return inText;
  }
}
