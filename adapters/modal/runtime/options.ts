import { SecretError } from "../../../src/secrets/index.ts";
import { isObjectName } from "../target.ts";
import type { LaunchClient } from "./client.ts";

/** The image of a job. */
export interface ModalImage {
  /** A tag of a public registry, such as `python:3.12-slim`, or the id of an image of Modal. */
  readonly from: string;
  /** Lines of a Dockerfile to build on it, without `COPY` and without secrets. */
  readonly commands?: readonly string[] | undefined;
}

/** Options of {@link modalRuntime}; those of `sandboxes.create` have the names and meanings of Modal. */
export interface ModalRuntimeOptions {
  /** The app that the sandboxes belong to; created if it does not exist. */
  readonly app: string;
  readonly image: string | ModalImage;
  /** The longest that a job may run, whole seconds: it ends by then whatever becomes of the launcher. */
  readonly timeoutMs: number;
  /** A `ModalClient` of your own; it stays open. Give it `grpcMiddleware: [modalGuard()]`. */
  readonly client?: LaunchClient | undefined;
  /** The environment of app, volumes and secrets; default: the one the client is set to. */
  readonly environment?: string | undefined;
  readonly cpu?: number | undefined;
  readonly cpuLimit?: number | undefined;
  readonly memoryMiB?: number | undefined;
  readonly memoryLimitMiB?: number | undefined;
  /** Such as `A100` or `T4:2`. */
  readonly gpu?: string | undefined;
  readonly idleTimeoutMs?: number | undefined;
  /** Working directory (default: where the code of the launch goes, else that of the image). */
  readonly workdir?: string | undefined;
  readonly blockNetwork?: boolean | undefined;
  readonly outboundCidrAllowlist?: readonly string[] | undefined;
  readonly outboundDomainAllowlist?: readonly string[] | undefined;
  readonly inboundCidrAllowlist?: readonly string[] | undefined;
  readonly cloud?: string | undefined;
  readonly regions?: readonly string[] | undefined;
  /** Name of the sandbox; of several jobs each gets its own name behind it. */
  readonly name?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Gives the job a token of its own for AWS or GCP, so that it needs no stored key. */
  readonly includeOidcIdentityToken?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  /** Creates volumes of mounts that do not exist (default: false). */
  readonly createVolumes?: boolean | undefined;
  /** Secrets reach the command only, not the sandbox around it, and are never stored. */
  readonly execScoped?: boolean | undefined;
  /**
   * The guard inside the container, which masks output before Modal stores it and needs Python 3.8 in
   * the image. `required` (default once a `modal://` reference is declared): without Python the
   * launch ends with 78 before the command starts. `auto` (default otherwise): it goes on, and says
   * so. `off`: output is masked on its way here only.
   */
  readonly shim?: ShimMode | undefined;
}

type ShimMode = "required" | "auto" | "off";
const shimModes: readonly unknown[] = ["required", "auto", "off"];

const isText = (value: unknown) =>
  typeof value === "string" && value !== "" && !/[\0\r\n]/.test(value);
const isPositive = (value: unknown) => typeof value === "number" && value > 0 && value < 1e9;
const isSwitch = (value: unknown) => typeof value === "boolean";
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const isSeconds = (value: unknown) => isPositive(value) && (value as number) % 1000 === 0;
const isName = (value: unknown) => typeof value === "string" && isObjectName(value);
const isTags = (value: unknown) =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).every(
    ([key, text]) => isText(text) && isText(key) && !/^nopeek/i.test(key),
  );
const isImage = (value: unknown) =>
  isText(value) ||
  (typeof value === "object" &&
    value !== null &&
    Object.keys(value).every((key) => key === "from" || key === "commands") &&
    isText((value as ModalImage).from) &&
    ((value as ModalImage).commands === undefined || isTexts((value as ModalImage).commands)));

type Rule = readonly [isValid: (value: unknown) => boolean, expected: string];

const number: Rule = [isPositive, "a number above zero"];
const text: Rule = [isText, "one line of text"];
const texts: Rule = [isTexts, "a list of texts"];
const flag: Rule = [isSwitch, "true or false"];
const seconds: Rule = [isSeconds, "whole seconds, in milliseconds"];
const name: Rule = [isName, "up to 64 letters, digits, dots, dashes and underscores"];

const rules: Readonly<Record<keyof ModalRuntimeOptions, Rule>> = {
  app: name,
  image: [isImage, "a registry tag, an image id, or { from, commands }"],
  timeoutMs: seconds,
  client: [(value) => typeof value === "object", "a ModalClient"],
  environment: name,
  cpu: number,
  cpuLimit: number,
  memoryMiB: number,
  memoryLimitMiB: number,
  gpu: [
    (value) => typeof value === "string" && /^[A-Za-z][A-Za-z0-9-]*(?::[1-9]\d?)?$/.test(value),
    "a type and how many, such as A100 or H100:2",
  ],
  idleTimeoutMs: seconds,
  workdir: [
    (value) => isText(value) && /^\/(?!.*\/\.\.(\/|$))/.test(String(value)),
    "an absolute path",
  ],
  blockNetwork: flag,
  outboundCidrAllowlist: texts,
  outboundDomainAllowlist: texts,
  inboundCidrAllowlist: texts,
  cloud: text,
  regions: texts,
  name,
  tags: [isTags, "texts by name; names that begin with nopeek are kept"],
  includeOidcIdentityToken: flag,
  verbose: flag,
  createVolumes: flag,
  execScoped: flag,
  shim: [(value) => shimModes.includes(value), "required, auto or off"],
};

const required = ["app", "image", "timeoutMs"] as const;

/** What excludes what; Modal would refuse it later, or not at all. */
const conflicts: readonly (readonly [(given: ModalRuntimeOptions) => boolean, string])[] = [
  [
    ({ blockNetwork, outboundCidrAllowlist, outboundDomainAllowlist, inboundCidrAllowlist }) =>
      blockNetwork === true &&
      [outboundCidrAllowlist, outboundDomainAllowlist, inboundCidrAllowlist].some(Boolean),
    "blockNetwork excludes the lists of allowed addresses",
  ],
  [
    ({ cpu, cpuLimit }) => cpuLimit !== undefined && !(cpu !== undefined && cpu <= cpuLimit),
    "cpuLimit needs a cpu that is not above it",
  ],
  [
    ({ memoryMiB, memoryLimitMiB }) =>
      memoryLimitMiB !== undefined && !(memoryMiB !== undefined && memoryMiB <= memoryLimitMiB),
    "memoryLimitMiB needs a memoryMiB that is not above it",
  ],
];

/**
 * Checks the options, each read once. Messages quote no value: it may be a secret in a wrong place.
 *
 * @throws SecretError `DECLARATION_INVALID`.
 */
export function checkOptions(given: ModalRuntimeOptions): ModalRuntimeOptions {
  if (typeof given !== "object" || given === null) throw invalid("needs options");
  const options: Record<string, unknown> = Object.assign(Object.create(null), given);
  for (const [key, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, key) ? rules[key as keyof ModalRuntimeOptions] : undefined;
    if (rule === undefined)
      throw invalid(`has an unknown option; known are ${Object.keys(rules).join(", ")}`);
    if (value !== undefined && !rule[0](value)) throw invalid(`${key} must be ${rule[1]}`);
  }
  for (const key of required) {
    if (options[key] === undefined) throw invalid(`needs ${key}: ${rules[key][1]}`);
  }
  const checked = options as unknown as ModalRuntimeOptions;
  const conflict = conflicts.find(([clash]) => clash(checked));
  if (conflict !== undefined) throw invalid(conflict[1]);
  return checked;
}

function invalid(why: string): SecretError {
  return new SecretError("DECLARATION_INVALID", `the Modal runtime: ${why}`);
}

/** The options that `sandboxes.create` takes as they are. */
const passedOn = [
  ...([
    "cpu",
    "cpuLimit",
    "memoryMiB",
    "memoryLimitMiB",
    "gpu",
    "timeoutMs",
    "idleTimeoutMs",
  ] as const),
  ...(["blockNetwork", "outboundCidrAllowlist", "outboundDomainAllowlist"] as const),
  ...(["inboundCidrAllowlist", "cloud", "regions", "includeOidcIdentityToken", "verbose"] as const),
];

/** What of the options goes to `sandboxes.create` unchanged. */
export function passedParams(options: ModalRuntimeOptions): Record<string, unknown> {
  return Object.fromEntries(
    passedOn.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])),
  );
}
