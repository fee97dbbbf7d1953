/** Decoders are run up to four times by real servers; one more than that. */
const mostDecodings = 5;

/**
 * Every text that a later reader may make of a name: percent-decoded several times, and
 * normalized before or after each decoding. The name itself comes first.
 *
 * Harmless to the operating system today, but the name may be decoded by what reads it next.
 */
export function readings(name: string): Iterable<string> {
  // Most names have one reading, and this is on the way of every path.
  if (/^[ -$&-~]*$/.test(name)) return [name];
  const found = new Set([name]);
  let latest = [name];
  for (let round = 0; round <= mostDecodings && latest.length > 0; round++) {
    const next: string[] = [];
    for (const text of latest) {
      const decoded = decodePercent(text, "utf8");
      const candidates = [text.normalize("NFKC"), decoded];
      if (decoded.includes("\ufffd")) {
        // What is no UTF-8 is dropped by some decoders, and read as Latin-1 by others.
        candidates.push(decoded.replaceAll("\ufffd", ""), decodePercent(text, "latin1"));
      }
      for (const reading of candidates) {
        if (found.has(reading)) continue;
        found.add(reading);
        next.push(reading);
      }
    }
    latest = next;
  }
  return found;
}

/** Decodes like a lenient server: what is no valid escape stays, bad UTF-8 becomes U+FFFD. */
function decodePercent(text: string, encoding: "utf8" | "latin1"): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll("%", ""), "hex").toString(encoding),
  );
}
