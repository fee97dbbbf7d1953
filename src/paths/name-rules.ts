import { PathError, type PathErrorCode } from "./errors.ts";
import { readings } from "./readings.ts";

/**
 * Which names are accepted. `portable`: harmless on every platform. `posix`: harmless on POSIX,
 * however it is decoded. `native`: whatever this platform can store.
 */
export type NameProfile = "portable" | "posix" | "native";

interface NameRule {
  readonly code: PathErrorCode;
  readonly reason: string;
  readonly pattern: RegExp;
  /** The rule is about Windows, so the profile `posix` does without. */
  readonly windows?: true;
}

/** Looks like "/" or "\", or becomes one of them in an old Windows code page. */
const slashLike = /[\u00a5\u2044\u20a9\u2215\u2216\u2571\u2572\u27cb\u27cd\u29f5\u29f8\u29f9]/;

/** What no component of a path may hold, in any of its readings. */
const nameRules: readonly NameRule[] = [
  { code: "PATH_INVALID", reason: "a NUL character", pattern: /\0/ },
  { code: "PATH_ESCAPE", reason: "a separator that is encoded", pattern: /[/]/ },
  { code: "PATH_ESCAPE", reason: "a backslash", pattern: /\\/ },
  { code: "PATH_ESCAPE", reason: 'a name of dots and spaces, such as ".."', pattern: /^[. ]+$/ },
  { code: "PATH_INVALID", reason: "a control character", pattern: /[\x01-\x1f\x7f-\x9f]/ },
  {
    code: "PATH_INVALID",
    reason: "an invisible character",
    pattern: /[\p{Cf}\p{Variation_Selector}\u115f\u1160\u2028\u2029\u3164\uffa0]/u,
  },
  { code: "PATH_INVALID", reason: "a character that looks like a slash", pattern: slashLike },
  // A decoder that accepts overlong UTF-8, or IIS's own escapes, reads these as "." and "/".
  {
    code: "PATH_ESCAPE",
    reason: "an overlong encoding",
    pattern: /%(?:c[01]|e0%[89]|f0%8|f8%8|fc%8|u[0-9a-f]{4})/i,
  },
  {
    code: "PATH_INVALID",
    reason: "a character that Windows reserves",
    pattern: /[:*?"<>|]/,
    windows: true,
  },
  {
    code: "PATH_INVALID",
    reason: "a dot or space at the end, which Windows drops",
    pattern: /[. ]$/,
    windows: true,
  },
  {
    code: "PATH_INVALID",
    reason: "a device name of Windows",
    pattern:
      /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9\xb9\xb2\xb3]) *(?:\..*)?$/i,
    windows: true,
  },
  { code: "PATH_INVALID", reason: "a short name of Windows", pattern: /~\d/, windows: true },
];

const longestNameBytes = 255;

/**
 * Checks one component of a path. `path` is what an error shows.
 *
 * @throws {@link PathError} `PATH_INVALID`, `PATH_ESCAPE`.
 */
export function checkName(name: string, profile: NameProfile, path: string): void {
  // A character has three bytes at most (a pair of surrogates four), so most names need no count.
  if (name.length * 3 > longestNameBytes && Buffer.byteLength(name) > longestNameBytes) {
    throw new PathError("PATH_INVALID", `a name is longer than ${longestNameBytes} bytes`, path);
  }
  if (profile === "native" && process.platform !== "win32") return;
  for (const reading of readings(name)) {
    for (const rule of nameRules) {
      if (rule.windows && profile === "posix") continue;
      if (rule.pattern.test(reading)) {
        throw new PathError(rule.code, `a path may not hold ${rule.reason}`, path);
      }
    }
  }
}

/**
 * Checks what holds for a whole path on every platform: it is text, and means the same bytes
 * everywhere. Node turns lone surrogates, and bytes that are not UTF-8, into U+FFFD: two names
 * become one.
 *
 * @throws {@link PathError} `PATH_INVALID`.
 */
export function checkText(path: unknown): asserts path is string {
  if (typeof path !== "string") throw new PathError("PATH_INVALID", "a path must be text", path);
  if (path === "") throw new PathError("PATH_INVALID", "the path is empty", path);
  if (path.includes("\0")) {
    throw new PathError("PATH_INVALID", "a path may not hold a NUL character", path);
  }
  if (!path.isWellFormed() || path.includes("\ufffd")) {
    throw new PathError("PATH_INVALID", "the path is not well-formed Unicode", path);
  }
}
