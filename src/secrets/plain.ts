/**
 * Which values are too short or too common to be secrets. Masking `8080`, `true` or `us-east-1`
 * wherever they occur would wreck the output and tell nothing apart.
 */

/** Shorter values are never taken for secrets unless a declaration says `allowWeak`. */
const minSecretBytes = 8;

/** Shorter values are never masked at all: they occur everywhere by chance. */
export const minMaskedBytes = 4;

/** Longer values are not common ones, and take long to compare. */
const maxCommonLength = 200;
/** No word of the table is longer. */
const maxWordLength = 16;
/** Nor is one of a region without a sign. */
const maxRegionLength = 26;

/**
 * What ordinary configuration values look like. Each pattern matches the whole value. What is quicker
 * to see is looked at first: a sign that all of its matches have, or the length of the longest one.
 */
const commonValues: ReadonlyArray<
  readonly [kind: string, pattern: RegExp, hint?: string | number]
> = [
  ["blank", /^\s*$/],
  ["number", /^[+-]?\d[\d_]{0,14}(?:\.\d{0,15})?(?:e[+-]?\d{1,3})?(?:[kmgt]i?b?|%|ms|s|m|h|d)?$/i],
  [
    "boolean",
    /^(?:true|false|yes|no|on|off|enabled|disabled|none|null|undefined)$/i,
    maxWordLength,
  ],
  [
    "word",
    /^(?:test|testing|example|sample|default|localhost|development|production|staging|password|changeme|change-me|secret|root|admin|administrator|postgres|username|anonymous|info|debug|warning|error|trace|verbose|training|validation)$/i,
    maxWordLength,
  ],
  ["one repeated character", /^(.)\1*$/s],
  [
    "cloud region",
    /^(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central)+-\d[a-z]?$/,
    "-",
  ],
  [
    "cloud region",
    /^(?:us|europe|asia|australia|northamerica|southamerica|me|africa)-(?:north|south|east|west|central)+\d{1,2}(?:-[a-f])?$/,
    "-",
  ],
  [
    "cloud region",
    /^(?:north|south|east|west|central){1,2}(?:us|europe|asia|india)\d?$/,
    maxRegionLength,
  ],
  [
    "cloud region",
    /^(?:uk|france|germany|norway|japan|korea|australia|canada|brazil|switzerland|uae)(?:north|south|east|west|central){1,2}\d?$/,
    maxRegionLength,
  ],
  [
    "time zone",
    /^(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Etc|Indian|Pacific)\/[\w/+-]+$/,
    "/",
  ],
  ["locale", /^[a-z]{2,3}_[A-Z]{2}(?:\.[\w-]+)?$/, "_"],
  // Lower case only: one of 64 base64 values begins with a slash too.
  ["path", /^(?:~|\.{1,2})?(?:\/[a-z0-9._-]+)+\/?$/, "/"],
  [
    "path",
    /^(?:~|\.{1,2}|\/(?:data|etc|home|mnt|opt|root|srv|tmp|usr|var|Users))(?:\/[\w. -]+)+\/?$/,
    "/",
  ],
  // No run of letters and digits, and no UUID, in the path: it could be the token of a web hook.
  [
    "URL without a password",
    /^[a-z][a-z0-9+.-]*:\/\/[\w.:[\]-]+(?!.*[a-z0-9]{16}|.*[0-9a-f]{8}-[0-9a-f]{4}-)(?:\/[\w.~/-]*)?$/i,
    ":",
  ],
  [
    "host and port",
    /^(?:localhost|redis|postgres|mysql|db|(?:[a-z0-9-]+\.)+[a-z0-9-]+):\d{1,5}$/,
    ":",
  ],
  ["device", /^(?:cuda|cpu|mps|gpu)(?::\d+)?$/i],
];

/**
 * Says why a value is no secret: `"short"`, the kind of a common value, or `null` for a value that
 * may be one.
 *
 * @example
 * plainReason("us-east-1"); // "cloud region"
 */
export function plainReason(value: string | Uint8Array): string | null {
  const text = Buffer.from(value as string).toString("latin1");
  return commonKind(text) ?? (text.length < minSecretBytes ? "short" : null);
}

/** The kind of a common value; null for others. The text has a character for each byte. */
export function commonKind(text: string): string | null {
  if (text.length > maxCommonLength) return null;
  for (const [kind, pattern, hint = ""] of commonValues) {
    const isLikely = typeof hint === "string" ? text.includes(hint) : text.length <= hint;
    if (isLikely && pattern.test(text)) return kind;
  }
  return null;
}
