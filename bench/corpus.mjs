// Text like that of training jobs, the same in every run: lines of numbers and of JSON, progress
// bars, prose, tracebacks, hashes, other alphabets, colours, base64. And values like credentials.

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const hexDigits = "0123456789abcdef";
const base64 = `${letters}+/`;
const symbols = `${letters}!@#$%^&*()-_=+[]{};:,.<>?/"'\\| ~\``;

/** Numbers from 0 to 1, the same for the same seed (xorshift32). */
export function randomFrom(seed) {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function makeTools(random) {
  const below = (count) => Math.floor(random() * count);
  const pick = (list) => list[below(list.length)];
  const text = (alphabet, length) => {
    let made = "";
    for (let i = 0; i < length; i++) made += alphabet[below(alphabet.length)];
    return made;
  };
  return { random, below, pick, text, letters, hexDigits, base64, symbols };
}

const base64url = (value) => Buffer.from(value).toString("base64url");

/** One value: shares of shapes as in a team's vault; 12 bytes at least. */
function value({ random, below, text }) {
  const shapes = [
    [0.16, () => `ghp_${text(letters, 36)}`],
    [0.12, () => text(base64, 40)],
    [0.08, () => `AKIA${text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)}`],
    [0.1, () => `sk-proj-${text(letters, 48)}`],
    [0.12, () => `a${"ks"[below(2)]}-${text(letters, 22)}`],
    [0.12, () => text(hexDigits, 32 * (1 + below(2)))],
    [0.06, () => [8, 4, 4, 4, 12].map((n) => text(hexDigits, n)).join("-")],
    [
      0.1,
      () =>
        text(symbols, 12 + below(13))
          .trim()
          .padEnd(12, "x"),
    ],
    [0.06, () => `hf_${text(letters, 34)}`],
    [0.03, () => `postgres://svc:${text(letters, 20)}@db-${below(9)}.internal:5432/prod`],
    [
      0.035,
      () =>
        `${base64url('{"alg":"RS256","typ":"JWT"}')}.${base64url(`{"sub":"${text(letters, 30)}"}`)}.${text(letters, 86)}`,
    ],
    [
      0.015,
      () =>
        `-----BEGIN PRIVATE KEY-----\n${Array.from({ length: 25 }, () => `${text(base64, 64)}\n`).join("")}-----END PRIVATE KEY-----\n`,
    ],
  ];
  let rest = random();
  for (const [share, make] of shapes) {
    rest -= share;
    if (rest < 0) return make();
  }
  return text(letters, 40);
}

/** Different values. */
export function makeValues(count, seed = 12_345) {
  const tools = makeTools(randomFrom(seed));
  const values = new Set();
  while (values.size < count) values.add(value(tools));
  return [...values];
}

const modules = ["train.loop", "data.loader", "optim.adamw", "dist.nccl", "ckpt.writer", "eval"];
const words =
  "the model loss gradient batch layer attention token tokenizer checkpoint saved loading shard worker rank world size device memory allocated step epoch learning rate warmup cosine schedule disk task asking password-less keyboard basket masking secretary authors".split(
    " ",
  );
const foreign = [
  "学習を開始しました",
  "Überprüfung läuft…",
  "модель обучена",
  "épuisé ✓",
  "█████▌  ",
  "✅ 完了",
];

function line(tools, clock, leak) {
  const { random, below, pick, text } = tools;
  const tick = () => {
    clock.time += below(900);
    return clock.time;
  };
  const time = () => new Date(tick()).toISOString();
  const share = random();
  if (share < 0.28) {
    return `${time()} INFO  [${pick(modules)}] rank=${below(8)} step=${++clock.step} loss=${(random() * 4).toFixed(6)} grad_norm=${(random() * 2).toFixed(4)} lr=${(random() * 1e-3).toExponential(4)} tok/s=${below(90_000)} mem=${(random() * 80).toFixed(2)}GiB${leak}\n`;
  }
  if (share < 0.56) {
    return `${JSON.stringify({ level: 30, time: tick(), pid: 4211, hostname: `node-${below(255)}`, reqId: text(hexDigits, 32), mod: pick(modules), step: clock.step, metrics: { loss: random().toFixed(5), max_tokens: 4096 }, msg: `${pick(words)} ${pick(words)} ${pick(words)}${leak}` })}\n`;
  }
  if (share < 0.74) {
    const done = below(101);
    const bar = "█".repeat(done / 5).padEnd(20);
    return `\rEpoch ${below(9)}: ${String(done).padStart(3)}%|${bar}| ${done * 17}/1700 [0${below(9)}:${10 + below(50)}<0${below(9)}:${10 + below(50)}, ${(random() * 30).toFixed(2)}it/s, loss=${random().toFixed(3)}]${leak}${done === 100 ? "\n" : ""}`;
  }
  if (share < 0.84) {
    return `[${pick(modules)}] ${Array.from({ length: 6 + below(14) }, () => pick(words)).join(" ")}${leak}\n`;
  }
  if (share < 0.88) {
    return `  File "/usr/lib/python3.11/site-packages/torch/${pick(words)}/${pick(words)}.py", line ${below(2000)}, in ${pick(words)}${leak}\n    return self._${pick(words)}(*args, **kwargs)\n`;
  }
  if (share < 0.92) {
    return `${time()} DEBUG GET https://models.example/api/${pick(words)}/resolve/${text(hexDigits, 40)}/model-0000${below(9)}.safetensors sha256=${text(hexDigits, 64)}${leak}\n`;
  }
  if (share < 0.96)
    return `${time()} ${pick(foreign)} ${pick(foreign)} step=${clock.step}${leak}\n`;
  if (share < 0.98) {
    return `\x1b[32mINFO\x1b[0m \x1b[1m${pick(words)}\x1b[0m ckpt=s3://bucket/run-${text(hexDigits, 32)}/step-${clock.step}.pt etag="${text(hexDigits, 32)}"${leak}\n`;
  }
  return `data: ${text(base64, 120 + below(400))}${leak}\n`;
}

/** The mix; every 2,000th line holds one of the first ten values. */
export function makeMix(bytes, values, seed = 777) {
  const tools = makeTools(randomFrom(seed));
  const clock = { time: Date.UTC(2026, 0, 1), step: 0 };
  const mix = Buffer.alloc(bytes);
  let used = 0;
  for (let count = 1; used < bytes; count++) {
    const leak = count % 2000 === 0 ? ` ${tools.pick(values.slice(0, 10))}` : "";
    used += mix.write(line(tools, clock, leak), used);
  }
  return mix;
}

/** Fills a buffer with what `make` gives. */
export function fill(bytes, make) {
  const buffer = Buffer.alloc(bytes);
  let used = 0;
  while (used < bytes) used += Buffer.from(make()).copy(buffer, used);
  return buffer;
}
