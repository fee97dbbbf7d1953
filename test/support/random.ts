/** Numbers, choices and texts that are the same for the same seed (xorshift32). */
export function randomOf(seed: number) {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  const below = (count: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * count);
  };
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const text = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet[below(alphabet.length)]).join("");
  return { below, pick, text };
}

export type Random = ReturnType<typeof randomOf>;
