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
