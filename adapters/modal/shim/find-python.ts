/** Which variables a job gets. */
export interface Kept {
  readonly named: readonly string[];
  /** With `*` and `?`. */
  readonly allowed: readonly string[];
  readonly never: readonly string[];
  /** Whole words and parts of names that are credentials': not allowed by a glob alone. */
  readonly credentials: readonly [words: readonly string[], parts: readonly string[]];
}

const candidates = "python3 python";
const probe = "import sys,zlib;sys.exit(sys.version_info<(3,8))";

/**
 * A script for /bin/sh that starts its first argument as a Python program, with the others. It
 * tries what it finds: a Python that is too old or broken does not count.
 *
 * Isolated (`-I`) and without `site` (`-S`): neither a variable nor a module of the job's folder nor a
 * package of the image changes what the program does.
 */
export function findPython(fallback: "refuse" | "run", kept: Kept): string {
  return `for p in ${candidates}; do
"$p" -I -S -c '${probe}' </dev/null >/dev/null 2>&1 && exec "$p" -I -S -c "$@"
done
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
  return `set -f
for n in $(export -p | while IFS= read -r l; do
l=\${l#export }; l=\${l#declare -x }
case $l in *=*) printf '%s\\n' "\${l%%=*}";; esac; done)
do case $n in
[0-9]*|*[!A-Za-z0-9_]*) continue;;
${anyOf(never)} ;;
${anyOf(named)} continue;;
${anyOf(credentials)} ;;
${anyOf(allowed)} continue;;
esac
(unset "$n") 2>/dev/null && unset "$n"
done
shift 3
exec "$@"`;
}

function anyOf(patterns: readonly string[]): string {
  return `${patterns.join("|") || "''"})`;
}
