import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { type ModalOptions, modal } from "../../../adapters/modal/index.ts";
import type { ModalServer } from "../../../adapters/testing/modal/index.ts";
import { parseReference, type SecretProvider } from "../../../src/secrets/index.ts";
import { startSearchedModal, valuesIn } from "../../support/modal.ts";

// The client reads its file at the moment it is imported, so this comes before every import of it.
process.env["MODAL_CONFIG_PATH"] = "/nonexistent/modal.toml";

/** Variables that would point a client elsewhere. */
const foreign = Object.keys(process.env).filter((name) => name.startsWith("MODAL_"));

/**
 * One server for a test file, with the process's environment pointed at it. What it received and what
 * the tests printed is searched for the values that they made.
 */
export function useModalServer(): { readonly server: ModalServer } {
  let server: ModalServer | undefined;
  const printed: unknown[] = [];
  beforeAll(async () => {
    server = await startSearchedModal({ environments: ["main", "prod"] });
  });
  beforeEach(() => {
    for (const stream of [process.stdout, process.stderr]) {
      const write = stream.write.bind(stream);
      vi.spyOn(stream, "write").mockImplementation((chunk, ...rest) => {
        printed.push(String(chunk));
        return write(chunk, ...(rest as []));
      });
    }
    for (const name of foreign) vi.stubEnv(name, undefined);
    for (const [name, value] of Object.entries(server?.env() ?? {})) vi.stubEnv(name, value);
    server?.clearFaults();
  });
  afterEach(() => expect(valuesIn(...printed.splice(0))).toEqual([]));
  afterAll(async () => {
    await server?.close();
  });
  return {
    get server() {
      if (server === undefined) throw new Error("the server runs within tests only");
      return server;
    },
  };
}

/** A client made by the test, as a user would give one. */
export async function newClient() {
  const { ModalClient } = await import("modal");
  return new ModalClient({ logLevel: "error" });
}

/** Both ways for the adapter to come to its client. */
export const sources: Record<string, (options?: ModalOptions) => Promise<SecretProvider>> = {
  "its own client": async (options) => modal(options),
  "a given client": async (options) => modal({ client: await newClient(), ...options }),
};

export const never = new AbortController().signal;

/** Attaches references given as text. */
export async function attach(provider: SecretProvider, texts: string[], signal = never) {
  const references = texts.map((text) => parseReference(text));
  const outcomes = await provider.attach?.(references, { signal });
  return outcomes ?? [];
}

/** Writes to a reference given as text. */
export async function write(
  provider: SecretProvider,
  text: string,
  change: Parameters<NonNullable<SecretProvider["write"]>>[1],
  signal = never,
) {
  await provider.write?.(parseReference(text), change, { signal });
}

/** The code of what a promise throws, or `undefined` if it does not. */
export async function codeThrown(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

/** The number of calls of a method while `work` runs. */
export async function countCalls(
  server: ModalServer,
  method: string,
  work: () => Promise<unknown>,
) {
  const before = server.calls.length;
  await work();
  return server.calls.slice(before).filter((call) => call.method === method).length;
}
