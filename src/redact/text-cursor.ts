/** Walks a string by offsets in its UTF-8 encoding; lone surrogates count as U+FFFD does. */
export class TextCursor {
  readonly #text: string;
  #index = 0;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  sliceTo(offset: number): string {
    const from = this.#index;
    this.skipTo(offset);
    return this.#text.slice(from, this.#index);
  }

  skipTo(offset: number): void {
    while (this.#offset < offset) {
      const code = this.#text.codePointAt(this.#index) ?? 0;
      this.#index += code > 0xffff ? 2 : 1;
      this.#offset += code > 0xffff ? 4 : code > 0x7ff ? 3 : code > 0x7f ? 2 : 1;
    }
  }

  rest(): string {
    return this.#text.slice(this.#index);
  }
}
