// `npm run bench`: every benchmark, or those whose names are given. Each compares with a peer or a
// limit in the same run: ratios say more than times of one machine.
import { readdirSync } from "node:fs";

const all = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".bench.mjs"))
  .map((name) => name.replace(".bench.mjs", ""));
const wanted = process.argv.slice(2);
const chosen = wanted.length === 0 ? all : wanted;
console.log(`node ${process.version}, ${process.platform} ${process.arch}`);
for (const name of chosen) await import(`./${name}.bench.mjs`);
