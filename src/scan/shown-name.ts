/**
 * A name of a file as it may be shown anywhere: without control characters, invisible ones and those
 * that turn the direction of writing, each as `\u{...}`.
 *
 * @example
 * shownName("a\u001b[31m.log"); // "a\\u{1b}[31m.log"
 */
export function shownName(name: string): string {
  return name.replace(
    /[\p{C}\p{Zl}\p{Zp}\ufffd]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
