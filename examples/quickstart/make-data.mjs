// Writes moons.csv: two interleaved half circles with noise, from a fixed seed.
import { writeFileSync } from "node:fs";

let seed = 20;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

const rows = ["x,y,label"];
for (let i = 0; i < 400; i++) {
  const label = i % 2;
  const angle = Math.PI * random();
  const noise = () => (random() + random() - 1) * 0.25;
  const x = label === 0 ? Math.cos(angle) : 1 - Math.cos(angle);
  const y = label === 0 ? Math.sin(angle) : 0.5 - Math.sin(angle);
  rows.push(`${(x + noise()).toFixed(4)},${(y + noise()).toFixed(4)},${label}`);
}
writeFileSync(new URL("moons.csv", import.meta.url), `${rows.join("\n")}\n`);
