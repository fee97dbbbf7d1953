/** A Modal on loopback that fails its test if a value reached it outside the fields made for values. */
import { inspect } from "node:util";
import {
  type ModalCall,
  type ModalServer,
  type ModalServerOptions,
  startModal,
} from "nopeek/testing";
import { expect } from "vitest";
import { countSpellings, valuesMade } from "./values.ts";

/** The fields that are made for values, by the call's name. */
const madeForValues: Readonly<Record<string, readonly string[]>> = {
  SecretGetOrCreate: ["envDict"],
  SecretUpdate: ["updates"],
  SandboxCreateV2: ["secretSources"],
  TaskExecStart: ["secretSources"],
};

/** Where a job on Modal finds its private files. */
const privateFolder = "/dev/shm/nopeek/";

/** As `startModal`; `close` rejects if a value that the test made, or the token's, lies elsewhere. */
export async function startSearchedModal(options?: ModalServerOptions): Promise<ModalServer> {
  const server = await startModal(options);
  const close = async () => {
    await server.close();
    const { MODAL_TOKEN_SECRET: tokenSecret = "" } = server.env();
    expect(strayValues(server.calls, valuesMade(), tokenSecret)).toEqual([]);
  };
  return { ...server, close, [Symbol.asyncDispose]: close };
}

/** What is searched of a call. */
export type SearchedCall = Pick<ModalCall, "method" | "request" | "bytes" | "headers">;

/** The calls that hold a value, in any common spelling, where everybody of a workspace can read it. */
export function strayValues(
  calls: readonly SearchedCall[],
  values: Iterable<string>,
  tokenSecret = "",
): string[] {
  const files = privateFiles(calls);
  const searched = calls.map((call) => ({
    method: call.method,
    allowed: fieldsOf(call, files),
    // A request as it came in: so what the server does not know of is searched too.
    sent: Buffer.concat([call.bytes, textOf(call.request["messages"])]),
    headers: textOf({ ...call.headers, "x-modal-token-secret": "" }),
  }));
  const found: string[] = [];
  for (const value of [...values, ...(tokenSecret === "" ? [] : [tokenSecret])]) {
    for (const { method, allowed, sent, headers } of searched) {
      const stray = countSpellings(sent, value) - countSpellings(allowed, value);
      if (stray > 0 || countSpellings(headers, value) > 0) found.push(method);
    }
  }
  return found;
}

/** The commands that take over the content of a private file. */
function privateFiles(calls: readonly SearchedCall[]): ReadonlySet<unknown> {
  const isPrivate = ({ request }: SearchedCall) =>
    JSON.stringify(request["commandArgs"] ?? []).includes(privateFolder);
  return new Set(calls.filter(isPrivate).map(({ request }) => request["execId"]));
}

/** What a call holds where values belong. */
function fieldsOf({ method, request }: SearchedCall, files: ReadonlySet<unknown>): Buffer {
  const fields = (madeForValues[method] ?? []).map((field) => request[field]);
  const messages = (request["messages"] ?? []) as readonly { start?: { execId?: unknown } }[];
  const isFile = messages.some(({ start }) => start !== undefined && files.has(start.execId));
  return textOf([fields, isFile ? messages : []]);
}

/** Every text and all bytes in a value, one after the other; also what is not enumerable. */
function textOf(value: unknown): Buffer {
  const parts: Uint8Array[] = [];
  const seen = new Set<object>();
  const take = (part: unknown): void => {
    if (typeof part === "string") parts.push(Buffer.from(`${part}\n`));
    else if (part instanceof Uint8Array) parts.push(part);
    else if (typeof part === "object" && part !== null && !seen.has(part)) {
      seen.add(part);
      for (const key of Object.getOwnPropertyNames(part)) {
        if (!Array.isArray(part)) take(key);
        take(Object.getOwnPropertyDescriptor(part, key)?.value);
      }
    }
  };
  take(value);
  return Buffer.concat(parts);
}

/** The values made by the test that stand in what came out: in texts, or anywhere in an object. */
export function valuesIn(...out: readonly unknown[]): string[] {
  const text = Buffer.concat([textOf(out), textOf(inspect(out, { depth: 9 }))]);
  return [...valuesMade()].filter((value) => countSpellings(text, value) > 0);
}
