/**
 * How common a byte is in logs, roughly: the mean of training logs, JSON lines, progress bars and
 * tracebacks. What is looked for first should be rare.
 */
const commonness: ReadonlyArray<readonly [bytes: string, weight: number]> = [
  [" ", 7],
  ["etaoinsrhld", 6],
  ["0123456789", 5],
  ["-_.:/=\"',", 5],
  ["ucmfpgwybvkxjqz", 3],
  ["\n\r[]{}()|%", 3],
  ["ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1.2],
  ["+*!@#$^&;<>?~`\\", 0.6],
];
const restWeight = 0.2;

export const byteCost = new Float64Array(256).fill(restWeight);
for (const [bytes, weight] of commonness) {
  for (const byte of Buffer.from(bytes)) byteCost[byte] = weight;
}

/** The most common pairs of letters in English text. */
const commonPairs = new Set(
  "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce pi".split(
    " ",
  ),
);
const commonPairFactor = 4;

/** How common two bytes are next to each other. */
export function pairCost(first: number, second: number): number {
  const isCommon = commonPairs.has(String.fromCharCode(first, second).toLowerCase());
  const cost = (byteCost[first] as number) * (byteCost[second] as number);
  return isCommon ? cost * commonPairFactor : cost;
}
