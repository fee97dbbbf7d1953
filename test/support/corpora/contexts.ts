import type { Draw } from "./draw.ts";
import type { Token } from "./token.ts";

/** A way in which a credential stands in output, a file or a command. */
export interface Context {
  readonly id: string;
  /** Places that give a name suit every credential; the others only those known by themselves. */
  readonly gives: "name" | "value";
  readonly write: (name: string, secret: string, draw: Draw) => string;
}

const clean = (
  id: string,
  gives: Context["gives"],
  write: (name: string, secret: string, draw: Draw) => string,
): Context => ({ id, gives, write });

const snake = (name: string) => name.toLowerCase().replaceAll("-", "_");
const kebab = (name: string) => name.toLowerCase().replaceAll("_", "-");
const time = (draw: Draw) =>
  `2025-0${1 + draw.below(9)}-1${draw.below(9)} 0${draw.below(9)}:4${draw.below(9)}:17`;

export const cleanContexts: readonly Context[] = [
  clean("env", "name", (name, secret) => `${name}=${secret}`),
  clean("export", "name", (name, secret) => `export ${name}="${secret}"`),
  clean("export-bare", "name", (name, secret) => `+ export ${name}=${secret}; python train.py`),
  clean("dotenv", "name", (name, secret) => `${name}='${secret}' # for training`),
  clean("json", "name", (name, secret) => JSON.stringify({ step: 3, [snake(name)]: secret })),
  clean("json-pretty", "name", (name, secret) =>
    JSON.stringify({ [name]: secret, epochs: 3 }, null, 2),
  ),
  clean("yaml", "name", (name, secret) => `model: llama\n${snake(name)}: ${secret}\nepochs: 3`),
  clean("yaml-quoted", "name", (name, secret) => `env:\n  ${name}: "${secret}"`),
  clean("toml", "name", (name, secret) => `[auth]\n${snake(name)} = "${secret}"`),
  clean("python", "name", (name, secret) => `    ${snake(name)} = "${secret}"`),
  clean(
    "python-keyword",
    "name",
    (name, secret) => `client = Client(${snake(name)}='${secret}', timeout=30)`,
  ),
  clean(
    "python-dict",
    "name",
    (name, secret) => `{'lr': 0.001, '${snake(name)}': '${secret}', 'seed': 1}`,
  ),
  clean("environ", "name", (name, secret) => `os.environ["${name}"] = "${secret}"`),
  clean("namespace", "name", (name, secret) => `Namespace(${snake(name)}='${secret}', epochs=3)`),
  clean("flag", "name", (name, secret) => `python train.py --${kebab(name)} ${secret} --epochs 3`),
  clean("flag-equals", "name", (name, secret) => `python train.py --${kebab(name)}=${secret}`),
  clean("docker", "name", (name, secret) => `docker run -e ${name}=${secret} trainer:latest`),
  clean("log", "name", (name, secret, draw) => `${time(draw)} INFO [config] ${name}: ${secret}`),
  clean(
    "url-query",
    "name",
    (name, secret) =>
      `GET https://api.internal/v1/runs?${snake(name)}=${encodeURIComponent(secret)}&limit=5`,
  ),
  clean("line", "value", (_, secret) => secret),
  clean(
    "sentence",
    "value",
    (_, secret, draw) => `${time(draw)} WARNING invalid credential ${secret} was rejected`,
  ),
  clean(
    "bearer",
    "value",
    (_, secret) => `curl -H "Authorization: Bearer ${secret}" https://api.internal`,
  ),
  clean("positional", "value", (_, secret) => `$ tool login ${secret}`),
  clean("exception", "value", (_, secret) => `ValueError: Incorrect API key provided: ${secret}`),
];

/** Places where a boundary is no space or quote. `text` is a credential, with its name if it needs one. */
export const awkwardContexts: readonly {
  readonly id: string;
  readonly write: (text: string) => string;
}[] = [
  { id: "colour-before", write: (text) => `\u001b[33m${text}\u001b[0m` },
  { id: "colour-256", write: (text) => `\u001b[1;38;5;208m${text}\u001b[m done` },
  { id: "escaped-newline", write: (text) => `'first\\n${text}\\nlast'` },
  { id: "escaped-tab", write: (text) => `"a\\t${text}\\tb"` },
  { id: "bytes", write: (text) => `b'${text}'` },
  { id: "bytes-lines", write: (text) => `b'ok\\r\\n${text}\\r\\n'` },
  {
    id: "percent",
    write: (text) => `redirect=https%3A%2F%2Fx%2F%3F${encodeURIComponent(text)}%26next%3D1`,
  },
  { id: "json-in-json", write: (text) => JSON.stringify({ body: JSON.stringify({ note: text }) }) },
  { id: "markdown-table", write: (text) => `| 3 | ${text} | ok |` },
  { id: "tight-table", write: (text) => `|3|${text}|ok|` },
  { id: "csv", write: (text) => `7,${text},done` },
  { id: "tab-separated", write: (text) => `7\t${text}\tdone` },
  { id: "box", write: (text) => `│ ${text} │` },
  { id: "tight-box", write: (text) => `│${text}│` },
  { id: "full-stop", write: (text) => `The credential is ${text}.` },
  { id: "comma", write: (text) => `got ${text}, retrying` },
  { id: "exclamation", write: (text) => `leaked ${text}!` },
  { id: "brackets", write: (text) => `[${text}]` },
  { id: "round-brackets", write: (text) => `(${text})` },
  { id: "braces", write: (text) => `{${text}}` },
  { id: "html", write: (text) => `<td>${text}</td>` },
  { id: "angle", write: (text) => `<${text}>` },
  { id: "backtick", write: (text) => `run \`${text}\` now` },
  { id: "glued-colon", write: (text) => `token:${text}` },
  { id: "glued-equals", write: (text) => `x=${text}&y=1` },
  { id: "ellipsis", write: (text) => `${text}...` },
  { id: "arrow", write: (text) => `old -> ${text}` },
  { id: "unicode-quotes", write: (text) => `“${text}”` },
  { id: "carriage-return", write: (text) => `10%|█         |\r${text}\r20%|██        |` },
  { id: "line-of-windows", write: (text) => `10% done\r\n${text}\r\n20% done` },
  { id: "repr", write: (text) => `['a', '${text}', None]` },
  { id: "yaml-list", write: (text) => `args:\n  - ${text}\n  - --verbose` },
  { id: "query", write: (text) => `https://host/v1/x?auth=${text}&page=2` },
  { id: "fragment", write: (text) => `https://host/v1/x#${text}` },
  { id: "semicolon", write: (text) => `A=1;B=${text};C=2` },
  { id: "question", write: (text) => `is it ${text}?` },
  { id: "other-script", write: (text) => `ключ ${text} ключ` },
  { id: "no-break-space", write: (text) => `a\u00a0${text}\u00a0b` },
  { id: "zero-byte", write: (text) => `PATH=/bin\u0000${text}\u0000HOME=/root` },
];

/** Text around a credential that brings its own, such as a key file. */
export const wholeContexts: readonly {
  readonly id: string;
  readonly write: (text: string, draw: Draw) => string;
}[] = [
  { id: "alone", write: (text) => `${text}\n` },
  { id: "after-text", write: (text, draw) => `${time(draw)} DEBUG request ${text}\n` },
  { id: "colour", write: (text) => `\u001b[2m${text}\u001b[0m\n` },
  { id: "between", write: (text) => `loading\n${text}\nloaded 3 shards\n` },
];

/** A credential as it is used: a web hook's secret with its URL. */
export const placed = ({ lead = "", secret }: Token) => lead + secret;

/** A credential in the least text that tells what it is. */
export function written(token: Token): string {
  const { kind, name, secret, text } = token;
  if (kind === "whole") return text ?? secret;
  return kind === "bare" ? placed(token) : `${name}=${secret}`;
}
