import type { Attachment } from "./provider.ts";

/**
 * A secret that is injected where it lives and was never read: names and keys, no value and no
 * `reveal`. A runtime that knows its provider attaches it.
 */
export class Attached {
  /** The variable that the job finds it under. */
  readonly name: string;
  readonly attachment: Attachment;

  constructor(name: string, attachment: Attachment) {
    this.name = name;
    this.attachment = attachment;
    Object.freeze(this);
  }

  toString(): string {
    const { provider, name, keys } = this.attachment;
    return `[ATTACHED:${this.name} from ${provider} ${name} (${keys.join(", ")})]`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
