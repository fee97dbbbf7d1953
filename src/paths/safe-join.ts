import path from "node:path";
import { PathError } from "./errors.ts";
import { splitLocal } from "./local-path.ts";
import { checkText } from "./name-rules.ts";

declare const brand: unique symbol;

/** An absolute path that lies below a declared root, as far as its text goes. */
export type SafePath = string & { readonly [brand]: "SafePath" };

const longestPathBytes = 4095;

/**
 * Joins segments to a root, or throws: the result never lies outside the root, on any platform and
 * however it is decoded later. It is the root itself only if there is no segment.
 *
 * This looks at text only. Where others can change the folders, open the root with `openRoot` and
 * work through it instead.
 *
 * @throws {@link PathError} `PATH_ESCAPE`, `PATH_INVALID` for a segment; `ROOT_INVALID`,
 *   `ROOT_UNRESTRICTED` for the root.
 *
 * @example
 * safeJoin("/srv/data", "users", name); // "/srv/data/users/ada"
 * safeJoin("/srv/data", "../etc/passwd"); // throws PATH_ESCAPE
 */
export function safeJoin(root: string, ...segments: string[]): SafePath {
  const joined = [checkRoot(root), ...segments.flatMap((part) => splitLocal(part))].join(path.sep);
  if (Buffer.byteLength(joined) > longestPathBytes) {
    throw new PathError("PATH_INVALID", `a path is longer than ${longestPathBytes} bytes`, joined);
  }
  return joined as SafePath;
}

/**
 * Whether an absolute path is the root or lies below it, component by component: `/data-old` is
 * not within `/data`. Text only; `..` is resolved as text.
 */
export function isWithin(root: string, candidate: string): boolean {
  if (!(isPlainAbsolute(root) && isPlainAbsolute(candidate))) return false;
  const relative = path.relative(path.normalize(root), path.normalize(candidate));
  const leaves = relative === ".." || relative.startsWith(`..${path.sep}`);
  return !(leaves || path.isAbsolute(relative));
}

function isPlainAbsolute(text: unknown): text is string {
  return typeof text === "string" && path.isAbsolute(text) && !text.includes("\0");
}

/** The root in its canonical form, without a slash at the end. */
function checkRoot(root: unknown): string {
  checkText(root);
  if (!path.isAbsolute(root) || (path.sep === "/" && root.startsWith("//"))) {
    throw new PathError("ROOT_INVALID", "the root must be absolute; use path.resolve first", root);
  }
  if (root.split(/[/\\]/).includes("..") || /[\x01-\x1f\x7f-\x9f]/.test(root)) {
    throw new PathError("ROOT_INVALID", 'the root holds ".." or a control character', root);
  }
  const canonical = path.resolve(root);
  if (canonical === path.parse(canonical).root) {
    throw new PathError("ROOT_UNRESTRICTED", "the whole file system is no restriction", root);
  }
  return canonical;
}
