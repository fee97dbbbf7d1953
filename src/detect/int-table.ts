/** A map from 32-bit numbers other than 0 to numbers: open addressing in one array, 16 bytes an entry. */
export class IntTable {
  /** Key and value in turn. */
  #slots: Int32Array;
  #size = 0;

  constructor(capacity = 8) {
    let slots = 16;
    while (slots < capacity * 2) slots *= 2;
    this.#slots = new Int32Array(slots * 2);
  }

  /** The value of a key, or 0. */
  get(key: number): number {
    const slots = this.#slots;
    for (let i = firstSlot(key, slots.length); ; i = (i + 2) & (slots.length - 1)) {
      if (slots[i] === key) return slots[i + 1] as number;
      if (slots[i] === 0) return 0;
    }
  }

  set(key: number, value: number): void {
    if ((this.#size + 1) * 4 > this.#slots.length * 1.5) this.#grow();
    const slots = this.#slots;
    let i = firstSlot(key, slots.length);
    while (slots[i] !== 0 && slots[i] !== key) i = (i + 2) & (slots.length - 1);
    if (slots[i] === 0) this.#size++;
    slots[i] = key;
    slots[i + 1] = value;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#size = 0;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== 0) this.set(old[i] as number, old[i + 1] as number);
    }
  }
}

function firstSlot(key: number, length: number): number {
  return ((Math.imul(key, 0x9e3779b1) >>> 7) << 1) & (length - 1);
}
