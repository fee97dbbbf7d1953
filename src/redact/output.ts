/** A call of Node's copy costs as much as to copy so many bytes one by one. */
const fewBytes = 64;
/** Copying fewer bytes costs less than a write of their own. */
const largeBytes = 8192;
const slabBytes = 16_384;
const newline = 0x0a;
const nothing = Buffer.alloc(0);

/**
 * Collects what a scanner writes, so that masks and text of a line are handed on together:
 *
 * 1. What stands alone is handed on as it is, not copied.
 * 2. Short parts are gathered: each is copied once.
 * 3. Of a large part only the lines are copied to which another part belongs.
 */
export class Output {
  #ready: Buffer[] = [];
  /** The part that was passed last, while nothing else is known of its last line. */
  #open: Buffer | null = null;
  // What is gathered, from `#from` to `#to`; before it stands what was handed on.
  #slab = nothing;
  #from = 0;
  #to = 0;

  /** Takes a part of bytes that stay as they are until they are handed on. */
  pass(bytes: Buffer, from: number, to: number): void {
    this.#closeOpen();
    if (this.#from === this.#to) {
      this.#open = partOf(bytes, from, to);
    } else if (to - from < largeBytes) {
      this.copy(bytes, from, to);
    } else {
      const lineEnd = bytes.indexOf(newline, from) + 1;
      const shared = lineEnd === 0 || lineEnd > to ? from : lineEnd;
      this.copy(bytes, from, shared);
      this.#endGathered();
      if (shared < to) this.#open = partOf(bytes, shared, to);
    }
  }

  /** Takes a part of bytes that may change afterwards. */
  copy(bytes: Buffer, from: number, to: number): void {
    this.#closeOpen();
    const count = to - from;
    if (this.#to + count > this.#slab.length) this.#reserve(count);
    copyBytes(this.#slab, this.#to, bytes, from, to);
    this.#to += count;
  }

  /** Hands on what was taken, in order. */
  take(): readonly Buffer[] {
    this.#endGathered();
    const ready = this.#ready;
    if (this.#open !== null) {
      ready.push(this.#open);
      this.#open = null;
    }
    if (ready.length > 0) this.#ready = [];
    return ready;
  }

  /** Something follows the open part: the last line of it belongs to that. */
  #closeOpen(): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const to = open.length < largeBytes ? 0 : open.lastIndexOf(newline) + 1;
    if (to > 0) this.#ready.push(open.subarray(0, to));
    this.copy(open, to, open.length);
  }

  #endGathered(): void {
    if (this.#from === this.#to) return;
    this.#ready.push(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }

  /** Makes room for so many bytes more; what was handed on keeps its memory. */
  #reserve(count: number): void {
    const gathered = this.#to - this.#from;
    const slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, 2 * (gathered + count)));
    // Who took a part may have given the memory of all to another thread: nothing of ours is in it then.
    if (gathered > 0) this.#slab.copy(slab, 0, this.#from, this.#to);
    this.#slab = slab;
    this.#from = 0;
    this.#to = gathered;
  }
}

function copyBytes(to: Buffer, at: number, bytes: Buffer, from: number, end: number): void {
  if (end - from >= fewBytes) bytes.copy(to, at, from, end);
  else for (let i = from, j = at; i < end; i++, j++) to[j] = bytes[i] as number;
}

function partOf(bytes: Buffer, from: number, to: number): Buffer {
  return from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
}
