/**
 * Text in a job's output that hints at a danger and is no secret. A person should look at it; no job
 * is stopped for it, since a program may print such text for any reason.
 */

/** Finds something in one line; linear in the line, whatever stands in it. */
export interface ReviewRule {
  readonly id: string;
  readonly about: string;
  /** The first place of the line, as offsets in it; null if there is none. */
  readonly find: (line: string) => { readonly start: number; readonly end: number } | null;
}

/** A call of a shell, up to its bracket. */
const shellCall =
  /\b(?:os\.(?:system|popen)|commands\.getoutput|subprocess\.(?:run|call|Popen|check_output|check_call|getoutput)|child_process\.(?:exec|execSync|spawn)|execSync|popen|system)\(/g;
/** Text with something inserted: an f-string, a template, a format, a concatenation. */
const dynamicText =
  /^\s{0,8}(?:[fF]["'][^"'\n]*\{|["'][^"'\n]*["']\s{0,8}(?:\+|%|\.format\()|`[^`\n]*\$\{|[A-Za-z_][\w.]*\s{0,8}\+)/;
/** `shell=True` matters where the command is not one fixed text. */
const withShell = /\bshell\s{0,8}[=:]\s{0,8}[Tt]rue\b/;
const fixedText = /^\s{0,8}["'][^"'{%\n]*["']\s{0,8},/;
const maxCallLength = 240;

/** A call that opens, reads, writes, moves or removes, shortly before a path. */
const fileCall =
  /\b(?:open|fopen|Path|PosixPath|read_\w{1,16}|load\w{0,24}|from_file|copy\w{0,8}|move|unlink|remove|rmtree|send_file|extract\w{0,8}|cat|cp|mv|rm|ln|tar)\b/;
const sensitivePath =
  /etc[/\\](?:passwd|shadow|sudoers|ssh)|proc[/\\]|root[/\\]|\.ssh|\.aws|\.kube|\.modal\.toml|\.netrc|\.env\b|id_rsa|system32/i;
const encodedParent = /(?:%2e%2e|\.\.)(?:%2f|%5c)/i;
const maxPathLength = 300;
const maxBeforePath = 48;

export const reviewRules: readonly ReviewRule[] = [
  {
    id: "shell-injection",
    about: "a shell is called with text that something was inserted into",
    find(line) {
      for (const { 0: call, index } of line.matchAll(shellCall)) {
        const from = index + call.length;
        const rest = line.slice(from, from + maxCallLength);
        if (dynamicText.test(rest) || (withShell.test(rest) && !fixedText.test(rest))) {
          return { start: index, end: Math.min(line.length, from + maxCallLength) };
        }
      }
      return null;
    },
  },
  {
    id: "path-traversal",
    about: "a file is used by a path that leads upwards, or such a path is encoded",
    find(line) {
      const encoded = encodedParent.exec(line);
      if (encoded !== null) return { start: encoded.index, end: encoded.index + encoded[0].length };
      // A traceback names the files of a program as it was started.
      if (/^\s{0,64}File "/.test(line)) return null;
      for (const { 0: path, index } of line.matchAll(/[^\s"'()=,]+/g)) {
        if (path.length > maxPathLength || !isUpward(path)) continue;
        const before = line.slice(Math.max(0, index - maxBeforePath), index);
        if (fileCall.test(before)) return { start: index, end: index + path.length };
      }
      return null;
    },
  },
];

/** Up by two folders or more, or up and to where credentials are. */
function isUpward(path: string): boolean {
  const ups = path.match(/\.\.[/\\]/g)?.length ?? 0;
  return ups >= 2 || (ups === 1 && sensitivePath.test(path));
}
