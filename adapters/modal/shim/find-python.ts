/** Which variables a job gets. */
export interface Kept {
  readonly named: readonly string[];
  /** With `*` and `?`. */
  readonly allowed: readonly string[];
  readonly never: readonly string[];
  /** Whole words and parts of names that are credentials': not allowed by a glob alone. */
  readonly credentials: readonly [words: readonly string[], parts: readonly string[]];
}

/** Where a shell looks without a PATH. */
const usualPath = "/usr/local/bin:/usr/bin:/bin";
/** What only a Python of 3.8 or later answers with `True`: not every program of that name is one. */
const probe = "import sys,zlib;print(sys.version_info>=(3,8))";

/**
 * A script for /bin/sh that starts its first argument as a Python program, with the others. It
 * tries all that it finds: a Python that is too old or broken does not count. Where the PATH leads
 * into the working directory, it does not look: there are the job's files.
 *
 * Isolated (`-I`) and without `site` (`-S`): neither a variable nor a module of the job's folder nor a
 * package of the image changes what the program does. Its own variables have names that no job's have:
 * what a shell assigns to a variable of the environment stays in it.
 */
export function findPython(fallback: "refuse" | "run", kept: Kept): string {
  return `set -f
IFS=:
for __n in python3 python; do for __d in \${PATH:-${usualPath}}; do
case $__d in /*) __p=$__d/$__n;; *) continue;; esac
[ -x "$__p" ] && [ "$("$__p" -I -S -c '${probe}' </dev/null 2>/dev/null)" = True ] && exec "$__p" -I -S -c "$@"
done; done
unset IFS
${fallback === "run" ? runWithout(kept) : refuse}`;
}

const refuse = `echo "nopeek: the image has no Python 3.8 or later, which must keep secrets out of the output that Modal stores; add Python to the image, or run with shim: 'off'" >&2
exit 78`;

/**
 * The same environment as with the shim, by the shell alone. Lines of longer values may look like
 * names: only names that are not kept are unset, so that does no harm.
 */
function runWithout({ named, allowed, never, credentials: [words, parts] }: Kept): string {
  const both = (texts: readonly string[]) => texts.flatMap((text) => [text, text.toLowerCase()]);
  const credentials = [
    ...both(words).flatMap((word) => [word, `${word}_*`, `*_${word}`, `*_${word}_*`]),
    ...both(parts).map((part) => `*${part}*`),
  ];
  return `for __n in $(export -p | while IFS= read -r __l; do
__l=\${__l#export }; __l=\${__l#declare -x }
case $__l in *=*) printf '%s\\n' "\${__l%%=*}";; esac; done)
do case $__n in
[0-9]*|*[!A-Za-z0-9_]*) continue;;
${anyOf(never)} ;;
${anyOf(named)} continue;;
${anyOf(credentials)} ;;
${anyOf(allowed)} continue;;
esac
(unset "$__n") 2>/dev/null && unset "$__n"
done
shift 3
exec "$@"`;
}

function anyOf(patterns: readonly string[]): string {
  return `${patterns.join("|") || "''"})`;
}
