import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";

const read = (name: string) => readFileSync(new URL(name, import.meta.url));

let source: { boot: string; packed: string } | undefined;

/**
 * The Python programs as arguments of `python3 -c`: `boot`, which unpacks and starts what is `packed`
 * to a third of its length.
 */
export function shimSource(): { readonly boot: string; readonly packed: string } {
  source ??= {
    boot: read("./boot.py").toString(),
    packed: deflateSync(read("./shim.py"), { level: 9 }).toString("base64"),
  };
  return source;
}
