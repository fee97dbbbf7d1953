/** The shim and the TypeScript engine are two programs for one thing: here they are held together. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Secret } from "nopeek";
import { needlesOf } from "nopeek/detect";
import { createRedactor, type Redactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import {
  credentialParts,
  credentialWords,
  isCredentialName,
  plainReason,
} from "../../../src/secrets/index.ts";
import { root } from "../../support/command.ts";
import { printedForms } from "../../support/printed-forms.ts";
import { unusualValues } from "../../support/unusual-values.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "../../support/values.ts";
import { path, python, whyNoPython } from "./shim-harness.ts";

const slow = process.env["SLOW"] === "1";
const times = (count: number) => (slow ? count * 10 : count);
const base64 = (value: string | Uint8Array) => Buffer.from(value as string).toString("base64");

/** What the shim answers to each case. */
function askShim<T>(cases: readonly object[]): T[] {
  const files = ["test/cases/shim_vectors.py", "adapters/modal/shim/shim.py"];
  const run = spawnSync(python, ["-I", "-S", "-B", ...files.map((file) => join(root, file))], {
    input: cases.map((one) => JSON.stringify(one)).join("\n"),
    env: { PATH: path },
    maxBuffer: 1 << 30,
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  const lines = run.stdout.trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

const bitsOf = (known: { mask: number; bits: number } | undefined) =>
  known === undefined ? null : [known.mask, known.bits];

const randomOf = (list: readonly string[]) => list[Math.floor(Math.random() * list.length)] ?? "";
const repeat = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));

const characters = [
  ..."abcXYZ0189 -_.~!'()*;/?:@&=+$,#%\"<>[]{}|\\^`\n\r\t\x00\x1b\x7f\x80",
  ..."äé€日ſK\u00a0\u0085\u001c\u2028\ufeff😀\ud83d",
];
/** What may stand beside base64 in base64. */
const besides = [..."ABgw/_-+9=", "A=", "g==", "w===", "QUJD"];
const randomText = (length: number) => repeat(length, () => randomOf(characters)).join("");

/** Values with a structure that forms look into. */
function structuredValues(): string[] {
  const token = randomToken();
  const account = {
    type: "service_account",
    project_id: `project-${token}`,
    private_key: privateKeyPem(),
    client_email: `x@${token}`,
    auth_uri: `https://${token}`,
    n: [1, -0.5e3, null, true, { nested: `leaf ${awkwardPassword()}`, "\ud800": `\ud800${token}` }],
  };
  return [
    privateKeyPem(),
    privateKeyPem().replaceAll("\n", "\r\n"),
    JSON.stringify(account),
    ` ${JSON.stringify(account, null, 2)}\n`,
    `{"a": NaN, "b": "${token}"}`,
    `{"a":"${token}"`,
    `postgres://user:${encodeURIComponent(awkwardPassword())}@db:5432/x`,
    `postgres://user:p%ä${token}@db`,
    `redis://${token}@host`,
    `HTTPS://u:${token}:${token}@h`,
    `Server=x;Password=${token};AccountKey=${token}==;pwd=short`,
    `  ${token}\t`,
    `${token}\u0085`,
    `\u001c${token}\u00a0\ufeff`,
    "correct horse battery staple nine",
    repeat(30, () => "word").join(" "),
    `${token}\n\n\r\r\n  ${token}x  \n-----BEGIN THING-----\n/data/models/x\n`,
    "a".repeat(40),
    "äöü€€€",
    "12345",
    "qx9!",
    randomBytes(70_000).toString("base64"),
    repeat(3000, () => randomToken()).join("\n"),
  ];
}

const skip = whyNoPython !== null;

describe.skipIf(skip)("the forms of a value", () => {
  it("are the same, in the same order, for text and bytes of every kind", () => {
    const values: (string | Buffer)[] = [
      ...structuredValues(),
      ...unusualValues(),
      ...repeat(times(150), (i) => randomText(4 + (i % 40))),
      ...repeat(times(30), (i) => randomBytes(4 + i)),
      ...repeat(times(30), () => randomToken()),
      ...repeat(times(10), awkwardPassword),
    ];
    const asked = values.map((value) => ({ kind: "needles", name: "N", value: base64(value) }));
    const answers = askShim<unknown[]>(asked);
    expect(answers.length).toBe(values.length);
    for (const [index, value] of values.entries()) {
      const expected = needlesOf(new Secret(value, { name: "N" })).map((needle) => [
        needle.form,
        needle.strong,
        base64(needle.bytes),
        bitsOf(needle.before),
        bitsOf(needle.after),
      ]);
      expect(answers[index], JSON.stringify(value.toString().slice(0, 200))).toEqual(expected);
    }
  });

  it("are found in a document that is nested deeper than Python reads", () => {
    const token = randomToken();
    const document = `${"[".repeat(5000)}"a\\n${token}"${"]".repeat(5000)}`;
    const [forms = []] = askShim<string[][]>([
      { kind: "needles", name: "N", value: base64(document) },
    ]);
    expect(forms.map(([, , bytes]) => bytes)).toContain(base64(`a\n${token}`));
  });

  it("leave out the same values as too short or common", () => {
    const words =
      "true FALSE no None test Changeme us-east-1 us-gov-west-1 eu-west-1a europe-west4-a eastus uksouth westeurope " +
      "Europe/Berlin en_US.UTF-8 ~/x ./a/b.c /data/x /Users/A/b.txt /data/Models/x /Data/x https://a.b/c https://a.b " +
      "https://hooks.x/abcdefgh12345678 s3://bucket/key https://x/123e4567-e89b-12d3-a456-426614174000 localhost:80 " +
      "redis:6379 db.example.com:5432 cuda:0 CPU gpu mps:1 8080 1_000 -0.5 1e-4 16GiB 90% 30s 1.5.2 0x1234 +1 " +
      "aaaaaaaaaaaa http://user:pw@h abcdefg abcdefgh 00000000 1234567890123456 99999999999999999 admin1";
    const odd = [
      "",
      " ",
      "\n",
      "true\n",
      "\u00a0",
      "\u00a0\u00a0 ",
      "\n\n\n\n\n\n\n\n\n",
      "8080\n",
      "a\na",
      "/data/x\n",
      "日日",
      "ſecret",
      "KKK",
    ];
    const values = [
      ...words.split(" "),
      ...odd,
      ...repeat(times(300), () => randomText(1 + Math.floor(Math.random() * 12))),
      ...repeat(
        times(300),
        () => repeat(3, () => randomOf([..."/.:-_~10aZ \n"])).join("") + randomOf(words.split(" ")),
      ),
    ];
    const asked = values.map((value) => ({ kind: "is_plain", value: base64(value) }));
    const answers = askShim<boolean>(asked);
    for (const [index, value] of values.entries()) {
      expect(answers[index], JSON.stringify(value)).toBe(plainReason(value) !== null);
    }
    expect(new Set(answers).size).toBe(2);
  });

  it("take the same names for credentials'", () => {
    const names =
      "HF_TOKEN TOKENIZERS_PARALLELISM KEY MONKEY PGPASSWORD my_secret_x hf_token PATH MODAL_TOKEN_ID GPG_KEY PAT PATH_PAT DSN_X APIKEYS".split(
        " ",
      );
    const credentials = [credentialWords, credentialParts];
    const answers = askShim<boolean>(
      names.map((name) => ({ kind: "is_credential_name", name, credentials })),
    );
    expect(answers).toEqual(names.map(isCredentialName));
  });
});

interface Case {
  readonly values: readonly (readonly [name: string, value: string])[];
  readonly input: Buffer;
  readonly cuts: readonly number[];
}

/** Lines as jobs write them, with every kind of break and of colour. */
const logLines = [
  "epoch 3 step 400 loss=0.1234\n",
  '  File "/opt/loop.py", line 8\r\n',
  "\r 40%|####      | 400/999",
  "\t\x1b[32mINFO\x1b[0m done\x1b[K\n",
  "\n",
  "   \n",
  "a \\\n",
  "\x1b[1m\x1b[31m   \n",
  "\x1b[2K\r",
  "\x1b]0;t\x07x\n",
  "\\\r\n",
  "\x1b[1;3\n",
  "\x1b[\\\n",
  "\x1b\n",
];
/** What may cut a value without hiding it. */
const cutters = [
  "\n",
  "\r\n",
  "\n   ",
  "\\\n",
  "\x1b[31m",
  "\x1b[0m\n  \x1b[1m",
  "\r",
  "\n\n",
  "\n\x1b[K",
];

interface Answer {
  readonly output: string;
  readonly found: readonly (readonly [string, string])[];
  readonly shown: readonly number[];
}

const redactors = new Map<string, Redactor>();

function redactorOf(values: Case["values"]): Redactor {
  const key = JSON.stringify(values);
  const known = redactors.get(key);
  if (known !== undefined) return known;
  const secrets = values.map(([name, value]) => new Secret(value, { name }));
  // Formats of credentials are for the launcher alone.
  const options = { secrets, rules: "none" as const };
  const redactor = createRedactor(options);
  redactors.set(key, redactor);
  return redactor;
}

/** What the TypeScript engine makes of a stream in these pieces. */
async function masked({ values, input, cuts }: Case) {
  const found: [string | undefined, string][] = [];
  const stream = redactorOf(values).stream({
    hold: "strict",
    onFinding: ({ name, form }) => void found.push([name, form]),
  });
  const output = buffer(stream);
  let from = 0;
  for (const cut of [...cuts, input.length]) {
    if (cut > from) stream.write(input.subarray(from, cut));
    from = Math.max(from, cut);
  }
  stream.end();
  return { output: (await output).toString("latin1"), found };
}

async function expectSame(cases: readonly Case[]): Promise<Answer[]> {
  const asked = cases.map(({ values, input, cuts }) => ({
    kind: "masked",
    secrets: values.map(([name, value]) => [name, base64(value)]),
    input: base64(input),
    cuts,
  }));
  const answers = askShim<Answer>(asked);
  expect(answers.length).toBe(cases.length);
  for (const [index, one] of cases.entries()) {
    const answer = answers[index] as Answer;
    const actual = {
      output: Buffer.from(answer.output, "base64").toString("latin1"),
      found: answer.found,
    };
    expect(actual, JSON.stringify(one)).toEqual(await masked(one));
  }
  return answers;
}

describe.skipIf(skip)("a stream", () => {
  it("of the leak matrix is masked the same, whole, byte by byte and split", async () => {
    const values = { token: randomToken(), password: awkwardPassword(), pem: privateKeyPem() };
    const cases = printedForms.flatMap((form) => {
      const input = Buffer.from(`loss=0.41 |${form.print(values[form.value])}| step 7\n`);
      const every = repeat(input.length, (i) => i);
      const splits = every.filter((i) => slow || (i < 60 && i % 7 === 3) || i % 397 === 0);
      return [[], every, ...splits.map((i) => [i])].map((cuts) => ({
        values: Object.entries(values),
        input,
        cuts,
      }));
    });
    const answers = await expectSame(cases);
    for (const [index, { output }] of answers.entries()) {
      const text = Buffer.from(output, "base64").toString();
      const { input } = cases[index] as Case;
      expect(text, input.toString()).toMatch(
        /^loss=0.41 \|(\\?[\s'"]*\[REDACTED:\w+\])+[\s'"=]*\| step 7\n$/,
      );
    }
  });

  it("of many lines with values in them is masked the same in any chunks", async () => {
    const cases = repeat(times(60), (i): Case => {
      const values: [string, string][] = [
        ["T", randomToken()],
        ["A", awkwardPassword()],
      ];
      const texts = repeat(60, () => {
        if (Math.random() < 0.8) return randomOf(logLines);
        const value = randomOf(values.map(([, text]) => text));
        const cut = Math.floor(Math.random() * value.length);
        return (
          value.slice(0, cut) + (Math.random() < 0.6 ? randomOf(cutters) : "") + value.slice(cut)
        );
      });
      const input = Buffer.from(texts.join(""));
      const cuts = repeat(i % 4, () => Math.floor(Math.random() * input.length));
      return { values, input, cuts: cuts.sort((a, b) => a - b) };
    });
    const answers = await expectSame(cases);
    expect(answers.filter(({ found }) => found.length > 4).length).toBeGreaterThan(10);
  });

  it("shows at a pause at most four bytes of a value, and a quarter", () => {
    const token = randomToken();
    const value = awkwardPassword();
    const secrets = [
      ["T", base64(token)],
      ["A", base64(value)],
    ];
    const cases = printedForms
      .filter((form) => form.value !== "pem")
      .flatMap((form) => {
        const printed = form.print(form.value === "token" ? token : value);
        const input = Buffer.from(`loss |${printed}| x`);
        const end = 6 + Buffer.byteLength(printed);
        return repeat(end - 6, (i) => ({
          kind: "masked",
          secrets,
          input: base64(input),
          cuts: [6 + i],
          pauses: [0, 0],
          form,
          printed,
        }));
      });
    const answers = askShim<Answer>(cases);
    for (const [index, { output }] of answers.entries()) {
      const { printed, form } = cases[index] as (typeof cases)[number];
      const text = Buffer.from(output, "base64").toString();
      const [, shown = ""] =
        /^loss \|([\s\S]*)\| x$/.exec(text.replace(/\[REDACTED:\w\]/g, "")) ?? [];
      expect(printed.startsWith(shown), form.title).toBe(true);
      const ofValue = shown.replace(/\x1b(\[[\d;]*m?)?|\\?\n */g, "");
      expect(ofValue.length, form.title).toBeLessThanOrEqual(Math.min(4, printed.length / 4));
    }
    expect(answers.some(({ output }) => Buffer.from(output, "base64").includes("|tok_["))).toBe(
      true,
    );
  });

  it("of pieces of forms, gaps and noise is masked the same in any chunks", async () => {
    const gaps = [
      ..."\n|\r\n|\n   |\\\n|\r|\\|\\\\\n|\x1b[31m|\x1b[0;1m|\x1b(B|\x1bM|\x1b]0;title\x07|\x1bPq\x1b\\|\x1b[|\x1b|\x1b]8|\x07|\n\x1b[0m\n |\x1b[3\n1m|\x1b\x1b[m|\x1b#8".split(
        "|",
      ),
      "\n".repeat(300),
      "\n".repeat(520),
      `\n${" ".repeat(515)}`,
      `\n${" ".repeat(511)}`,
      `\x1b]${"x".repeat(520)}`,
      `\x1b[${"1;".repeat(300)}m`,
      " ",
      "",
      "",
    ];
    const makers: (() => [string, string][])[] = [
      () => [
        ["T", randomToken()],
        ["U", randomToken("tok_", 10)],
      ],
      () =>
        repeat(3, (i) => [
          `D${i}`,
          repeat(5 + Math.floor(Math.random() * 9), () => randomOf(["a", "b"])).join(""),
        ]),
      () => [["A", awkwardPassword()]],
      () => repeat(2, (i) => [`R${i}`, randomText(6 + Math.floor(Math.random() * 20))]),
      () => [
        ["N", `${randomToken("", 9)}\n  ${randomToken("", 14)}\\\nend`],
        ["X", "\x1b[31m"],
      ],
      () => [["P", privateKeyPem()]],
    ];
    const cases = repeat(times(150), (i): Case => {
      const values = (makers[i % makers.length] ?? (() => []))().filter(
        ([, value]) => value.trim() !== "",
      );
      const needles = values.flatMap(([name, value]) => needlesOf(new Secret(value, { name })));
      const parts = repeat(1 + Math.floor(Math.random() * 10), () => {
        const { bytes = Buffer.from("x") } =
          needles[Math.floor(Math.random() * needles.length)] ?? {};
        const from = Math.random() < 0.7 ? 0 : Math.floor(Math.random() * bytes.length);
        const to =
          Math.random() < 0.7
            ? bytes.length
            : from + Math.floor(Math.random() * (bytes.length - from));
        const middle = from + Math.floor(Math.random() * (to - from));
        const inner = Math.random() < 0.5 ? randomOf(gaps) : "";
        const noise = randomOf([randomText(5), randomOf(gaps), randomOf(besides)]);
        return [
          Buffer.from(Math.random() < 0.3 ? randomOf(besides) : ""),
          bytes.subarray(from, middle),
          Buffer.from(inner),
          bytes.subarray(middle, to),
          Buffer.from(noise),
        ];
      });
      const input = Buffer.concat(parts.flat());
      const every = repeat(input.length, (at) => at);
      const cuts =
        i % 5 === 0 && input.length < 3000
          ? every
          : repeat(i % 7, () => Math.floor(Math.random() * input.length)).sort((a, b) => a - b);
      return { values, input, cuts };
    });
    const answers = await expectSame(cases);
    expect(answers.filter(({ found }) => found.length > 0).length).toBeGreaterThan(
      cases.length / 2,
    );
  }, 600_000);
});
