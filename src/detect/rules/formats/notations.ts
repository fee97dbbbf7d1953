/** How a name and its value are written: shells, Python, YAML, JSON, XML, options of commands. */
import type { RunStep, Step } from "../rule.ts";

const suffixes =
  "_value _secret _token _string _prod _production _dev _test _staging _main _default _primary _secondary _admin _old _new _base64 _b64 _json _raw _1 _2 _3 1 2 3 -value -secret value".split(
    " ",
  );
/** What a name may end with behind its word: `TOKEN_ID`, `api_key_2`. Not `token_type`, `secret_name`. */
export const suffix: Step = { text: ["", "_id", "-id", "id", "_key", "-key", "key", ...suffixes] };
/** `private_key_id` is no secret. */
export const keySuffix: Step = { text: ["", ...suffixes] };
/** Up to the value, also in JSON that is quoted in JSON, in `os.environ["X"]`, in XML. */
export const assigned: readonly Step[] = [
  { chars: "\\", max: 4 },
  { chars: "\"'`", max: 1 },
  { chars: "])", max: 2 },
  { chars: " \t", max: 8 },
  {
    text: ":= ::= :::= => == === ?= ??= ||= .= += = : > %3d %3a \\u003d".split(" "),
  },
  { chars: " \t", max: 8 },
];
/** `name: HF_TOKEN`, and behind it `value: ...`, as in Kubernetes and ECS. */
const paired: readonly Step[] = [
  { chars: "\\", max: 4 },
  { chars: "\"'", max: 1 },
  { chars: ", \t\r\n", min: 1, max: 40 },
  { chars: "\\", max: 4 },
  { chars: "\"'", max: 1 },
  { text: "value" },
  { chars: "\\", max: 4 },
  { chars: "\"'", max: 1 },
  { chars: " ", max: 4 },
  { text: [":", "="] },
  { chars: " ", max: 4 },
];
/** `setProperty("API_KEY", "...")` */
const listed: readonly Step[] = [
  { chars: "\\", max: 4 },
  { chars: "\"'`", min: 1, max: 1 },
  { chars: " \t", max: 4 },
  { text: "," },
  { chars: " \t", max: 4 },
];
/** `api_key: str = ...`, `apiKey string = ...` */
const annotated: readonly Step[] = [
  { chars: " ", max: 2 },
  { chars: ":", max: 1 },
  { chars: " ", max: 2 },
  { text: ["str", "string", "secretstr", "&str"] },
  { chars: " |None[]", max: 12 },
  { text: "=" },
  { chars: " ", max: 4 },
];
/** A prefix of text in Python, an escape, and the quote. */
const quote: readonly Step[] = [
  { chars: "\\", max: 4 },
  { chars: "bfru", max: 1 },
  { chars: "\"'`", min: 1, max: 1 },
];
/** Text goes on behind a space: a sentence, not a value. */
const noSpace: Step = { chars: "^ \t", min: 1, max: 1 };

const quotedChars = "^\u0000-\u0020\u007f\"'`\\";
const bareChars = "!#$%(*+./0-9?@A-Z[^_a-z{~-";
/** A password may hold more; in a token these begin something else, or end it. */
export const passwordChars = ":=";
const quoted = (value: RunStep): readonly Step[] => [
  ...quote,
  { ...value, chars: quotedChars, secret: true },
  noSpace,
];
/** `value.chars` are further characters of a value without quotes. */
const bare = ({ chars, ...value }: RunStep): readonly Step[] => [
  { ...value, chars: chars + bareChars, secret: true },
  { chars: "=", max: 2, secret: true },
];

export const inAnyNotation = (
  ending: Step,
  value: RunStep,
  bareValue = value,
): readonly (readonly Step[])[] => [
  [ending, ...assigned, ...quoted(value)],
  [ending, ...assigned, ...bare(bareValue)],
  [...paired, ...quoted(value)],
  [...paired, ...bare(bareValue)],
  [...annotated, ...quoted(value)],
  [ending, ...listed, ...quoted(value)],
  // An element of XML with its text on a line of its own.
  [ending, { text: ">" }, { chars: " \t\r\n", min: 1, max: 40 }, ...bare(bareValue)],
];
/** `--api-key VALUE` */
export const asFlag = (value: RunStep): readonly (readonly Step[])[] => [
  [
    suffix,
    { chars: " \t", min: 1, max: 4 },
    { chars: "\"'", max: 1 },
    { ...value, chars: "!#%*+./0-9?@A-Z^_a-z~-", secret: true },
    { chars: "=", max: 2, secret: true },
  ],
];
export const run = (min: number, max: number, chars = ""): RunStep => ({ chars, min, max });
