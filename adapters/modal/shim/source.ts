import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";

/** Unpacks the program, which is its second argument, and starts it. */
export const shimLoader =
  'import sys,zlib,binascii;exec(compile(zlib.decompress(binascii.a2b_base64(sys.argv[2])),"nopeek","exec"));main(sys.argv[1:])';

let packed: string | undefined;

/** The Python program, packed so that it takes a third of an argument list. */
export function packedShim(): string {
  packed ??= deflateSync(readFileSync(new URL("./shim.py", import.meta.url)), {
    level: 9,
  }).toString("base64");
  return packed;
}
