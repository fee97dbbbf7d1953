// A small but real training job: a network with one hidden layer learns to tell two half circles
// apart. On the way it does with its credentials what training scripts do.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const token = process.env.HF_TOKEN ?? "";
const deployKey = process.env.DEPLOY_KEY ?? "";
const registry = process.env.REGISTRY_URL ?? "";
const epochs = Number(process.env.EPOCHS ?? 40);

// What people print "just for now": the whole configuration, the request, the URL.
console.log(`config: epochs=${epochs} hidden=16 lr=0.4 token=${token}`);
console.log(`> GET /api/models HTTP/1.1\n> Authorization: Bearer ${token}`);
console.log(`> Authorization: Basic ${Buffer.from(`trainer:${token}`).toString("base64")}`);
console.log(`pulling data from ${registry}?auth=${encodeURIComponent(token)}`);
console.log(JSON.stringify({ event: "start", deployKey }));

const rows = readFileSync(new URL("moons.csv", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .slice(1);
const data = rows.map((row) => row.split(",").map(Number));
const training = data.slice(0, 320);
const validation = data.slice(320);

const hidden = 16;
let seed = 7;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32 - 0.5;
};
const w1 = Array.from({ length: hidden }, () => [random() * 2, random() * 2, random()]);
const w2 = Array.from({ length: hidden + 1 }, () => random());

const forward = (x, y) => {
  const h = w1.map(([a, b, c]) => Math.tanh(a * x + b * y + c));
  const z = h.reduce((sum, value, i) => sum + value * w2[i], w2[hidden]);
  return { h, p: 1 / (1 + Math.exp(-z)) };
};

for (let epoch = 1; epoch <= epochs; epoch++) {
  let loss = 0;
  for (const [i, [x, y, label]] of training.entries()) {
    const { h, p } = forward(x, y);
    const error = p - label;
    loss -= Math.log(Math.max(1e-9, label === 1 ? p : 1 - p));
    for (let k = 0; k < hidden; k++) {
      const back = error * w2[k] * (1 - h[k] ** 2);
      w2[k] -= 0.4 * error * h[k];
      w1[k][0] -= 0.4 * back * x;
      w1[k][1] -= 0.4 * back * y;
      w1[k][2] -= 0.4 * back;
    }
    w2[hidden] -= 0.4 * error;
    if (i % 80 === 0) {
      const done = Math.round((20 * (epoch - 1 + i / training.length)) / epochs);
      process.stdout.write(`\r|${"#".repeat(done).padEnd(20, ".")}| epoch ${epoch}/${epochs}`);
      await sleep(2);
    }
  }
  const right = validation.filter(([x, y, label]) => forward(x, y).p > 0.5 === (label === 1));
  if (epoch % 10 === 0) {
    const metrics = {
      epoch,
      loss: loss / training.length,
      accuracy: right.length / validation.length,
    };
    process.stdout.write(`\r${JSON.stringify(metrics)}${" ".repeat(10)}\n`);
  }
}

// A value that two writes cut in half, with a pause between them.
process.stdout.write(`uploading with ${token.slice(0, 14)}`);
await sleep(60);
process.stdout.write(`${token.slice(14)}\n`);

// And the one nobody thinks of: the error that quotes the request.
try {
  throw new Error(`403 from ${registry}: invalid credential ${token}`);
} catch (error) {
  console.error(error.stack);
}
console.log("done");
