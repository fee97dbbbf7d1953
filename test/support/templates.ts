import { randomInt } from "node:crypto";
import { expandTemplate } from "nopeek/detect";

/** Makes text from a rule's template: `{A-Z*16}` is 16 random characters of the class. */
export function fromTemplate(template: string): string {
  return expandTemplate(template, (count) => randomInt(count));
}
