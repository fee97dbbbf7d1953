import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** A message of the client's generated code. */
export interface ClientMessage {
  decode(bytes: Uint8Array): Record<string, unknown>;
  encode(message: object): { finish(): Uint8Array };
  toJSON(message: object): Record<string, unknown>;
}

/** A service of the client's generated code. */
export interface ClientService {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, { readonly name: string; responseStream: boolean }>>;
}

/**
 * The generated code of the installed client, which is in its bundle but not exported: the part of
 * the bundle that holds it is imported by itself.
 */
export async function clientCodec(): Promise<
  Partial<Record<string, ClientMessage & ClientService>>
> {
  const entry = createRequire(import.meta.url)
    .resolve("modal")
    .replace(/index\.cjs$/, "index.js");
  const bundle = await readFile(entry, "utf8");
  const code = segments.map(([first, last]) => between(bundle, first, last)).join("\n");
  const names = new Set([...code.matchAll(/^var (\w+) = \{$/gm)].map(([, name]) => name));
  const module = `${code}\nexport { ${[...names].join(", ")} };\n`;
  return import(`data:text/javascript;base64,${Buffer.from(module).toString("base64")}`);
}

/** What the generated code stands between. */
const segments = [
  ["// node_modules/@bufbuild/protobuf", "// src/errors.ts"],
  ["// proto/modal_proto/task_command_router.ts", "// src/task_command_router_client.ts"],
] as const;

function between(text: string, first: string, last: string): string {
  const start = text.indexOf(first);
  const end = text.indexOf(last, start);
  if (start === -1 || end === -1) throw new Error("the client's bundle has another layout");
  return text.slice(start, end);
}
