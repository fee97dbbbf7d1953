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

/**
 * How often common pairs stand in a kilobyte of logs and code, at even places.
 */
const commonPairs: ReadonlyArray<readonly [perKilobyte: number, pairs: string]> = [
  [5, "in er lo st te he ed ro es ng to or de th re en on at co"],
  [
    2.5,
    "le ts al tr ra ai ne op fi is os ss ac ce ea an ou ar pe ri as se ur nt un nc ti io ad ch ec ha it ok ke ns me et nd am om s. --",
  ],
  [
    1.3,
    "ve el ca ll oo ep ni sh id pa oc rn us si rr hi pr ly no ow n. fu ct di ck po s: s/ s= e- /s em ge im ta mp nu um nl mo od na la ma be ef tu ig wa ap il ot ol lu li cr va ue ex fr of ut ld ru pt ul == if rt do",
  ],
  [
    0.7,
    "ev nf db n_ fa nk .c rm ba ie vi ic by wn oa oi rd ds .l lr mf tt _t ys pu .t iz e: ab bl ey rc /r cl da nv fe .p py ag qu t: yt ho rs ls au d. e. ir ty yp mi so og gi sa pl ee ia ry mb r. wh .. ./ hr ew ay xp t. tc xt",
  ],
];
const pairCosts = new Map<number, number>();
for (const [cost, pairs] of commonPairs) {
  for (const pair of pairs.split(" ")) {
    pairCosts.set((pair.charCodeAt(0) << 8) | pair.charCodeAt(1), cost);
  }
}
/** Brings the product of two bytes' costs to the scale of the table. */
const productScale = 1 / 80;

const space = 0x20;
/** Words begin and end with the same few letters. */
const spaceFactor = 5;

/** How common a pair of bytes is in logs, roughly. */
export function pairCost(first: number, second: number): number {
  const common = pairCosts.get((first << 8) | second);
  const product = (byteCost[first] as number) * (byteCost[second] as number) * productScale;
  return common ?? (first === space || second === space ? product * spaceFactor : product);
}
