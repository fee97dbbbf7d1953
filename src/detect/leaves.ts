/** The parts of a value that are secrets of their own: leaves of JSON, passwords of URLs. */
import { plainReason } from "../secrets/index.ts";

/** Shorter parts are too common. */
export const minLeafBytes = 8;
const maxLeaves = 1000;

/** Keys of service account files whose values are no secrets. */
const publicKeys = /^(?:type|project_id|client_email|.*_uri|.*_url)$/;

/** The texts of a JSON value that may be secrets. */
export function jsonLeaves(text: string): string[] {
  if (!/^\s*[[{]/.test(text)) return [];
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return [];
  }
  const leaves: string[] = [];
  const stack: unknown[] = [document];
  while (stack.length > 0 && leaves.length < maxLeaves) {
    const node = stack.pop();
    if (typeof node === "string") {
      if (isTelling(node, minLeafBytes)) leaves.push(node);
    } else if (typeof node === "object" && node !== null) {
      for (const [key, child] of Object.entries(node)) if (!publicKeys.test(key)) stack.push(child);
    }
  }
  return leaves;
}

/**
 * The password, or the token alone, of `scheme://user:password@host`, as written and decoded; and
 * `Password=...;` of a connection string.
 */
export function credentialParts(text: string): string[] {
  const userinfo = /^\s*[a-z][a-z0-9+.-]*:\/\/([^\s/?#]+)@/i.exec(text)?.[1] ?? "";
  const password = userinfo.includes(":") ? userinfo.slice(userinfo.indexOf(":") + 1) : userinfo;
  const parts = [password];
  try {
    parts.push(decodeURIComponent(password));
  } catch {
    // Not percent-encoded: taken as written.
  }
  for (const [, value = ""] of text.matchAll(/\b(?:password|pwd|accountkey)=([^;]+)/gi)) {
    parts.push(value);
  }
  return parts.filter((leaf) => isTelling(leaf, minLeafBytes));
}

/** Whether a text is long enough, and no common value. */
export function isTelling(text: string, minBytes: number): boolean {
  return Buffer.byteLength(text) >= minBytes && plainReason(text) === null;
}
