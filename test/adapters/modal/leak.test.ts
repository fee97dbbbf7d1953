import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { modal } from "../../../adapters/modal/index.ts";
import type { ModalFault } from "../../../adapters/testing/modal/index.ts";
import {
  type Change,
  createSecrets,
  SecretError,
  type SecretProvider,
} from "../../../src/secrets/index.ts";
import { attach, newClient, useModalServer, write } from "./harness.ts";

const used = useModalServer();
const opened: SecretProvider[] = [];
const printed: unknown[] = [];

beforeEach(() => {
  printed.length = 0;
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((chunk) => {
      printed.push(chunk);
      return true;
    });
  }
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((provider) => provider.close?.()));
});

const open = (options = {}) => {
  const provider = modal({ timeoutMs: 1500, ...options });
  opened.push(provider);
  return provider;
};

/** What the values are searched for; each value holds the mark of its own. */
const mark = () => `leak${randomBytes(12).toString("hex")}`;

/** Shapes that quoting, escaping and parsing trip over. */
const shapes: ((mark: string) => unknown)[] = [
  (m) => m,
  (m) => m.toUpperCase(),
  (m) => `"${m}"`,
  (m) => `'${m}'`,
  (m) => `\`${m}\``,
  (m) => `{"a":"${m}"}`,
  (m) => `{"a":${m}`,
  (m) => `[${m}]`,
  (m) => `<${m}>`,
  (m) => `\\${m}\\`,
  (m) => `${m}\n`,
  (m) => `\n${m}`,
  (m) => `a\r\n${m}\r\nb`,
  (m) => `-----BEGIN PRIVATE KEY-----\n${m}\n-----END PRIVATE KEY-----\n`,
  (m) => `\t${m} `,
  (m) => `${m}=`,
  (m) => `A=${m}`,
  (m) => `#${m}`,
  (m) => `?a=${m}`,
  (m) => `https://u:${m}@h.example/`,
  (m) => `modal://${m}#KEY`,
  (m) => `$${m}`,
  (m) => `\${${m}}`,
  (m) => `$(${m})`,
  (m) => `%s${m}%d`,
  (m) => `%00${m}`,
  (m) => `../${m}`,
  (m) => `--${m}`,
  (m) => `ü${m}ß`,
  (m) => `🔑${m}🔑`,
  (m) => `\u202e${m}`,
  (m) => `\ufeff${m}`,
  (m) => `\u0000${m}`,
  (m) => `${m}\u0000`,
  (m) => `\u001b[31m${m}`,
  (m) => `\ud800${m}`,
  (m) => `${m}\udc00`,
  (m) => m.repeat(3000),
  (m) => m.repeat(6000),
  (m) => Buffer.from(m),
  (m) => Buffer.concat([Buffer.from(m), Buffer.from([0xff])]),
  (m) => [m],
  (m) => ({ value: m }),
  (m) => new Map([[m, m]]),
  (m) => () => m,
  (m) => Symbol(m),
  (m) => new Error(m),
  (m) => ({ toString: () => m }),
  (m) => ({ toJSON: () => m }),
  (m) => new String(m),
];

/** What goes on beside the value, so that the call fails. */
const companions: unknown[] = [undefined, 5, true, "", "a\0b", "x".repeat(140_000), {}];

/** What a careless server may put into its answer. */
const echoes = (text: string): ModalFault[] => [
  { status: "INVALID_ARGUMENT", details: `bad value ${text}` },
  { status: "FAILED_PRECONDITION", details: `Secret is missing key(s): ${text}` },
  { status: "PERMISSION_DENIED", details: text },
  { status: "NOT_FOUND", details: text },
  { status: "UNAUTHENTICATED", details: text },
  { status: "RESOURCE_EXHAUSTED", details: text, retryAfterMs: 60_000 },
];

/** Every way to print a thing. */
function prints(thing: unknown): string {
  const own = typeof thing === "object" && thing !== null ? thing : {};
  return [
    String(thing),
    JSON.stringify(thing),
    JSON.stringify(thing, Object.getOwnPropertyNames(own)),
    inspect(thing, { showHidden: true, getters: true, depth: 20, maxStringLength: null }),
    String((thing as Error | undefined)?.stack),
    inspect((thing as Error | undefined)?.cause),
  ].join("\n");
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** The calls as they came in, without the fields that are made for values. */
function recorded(): string {
  return inspect(
    used.server.calls.map(({ method, request, bytes, headers }) => {
      const { envDict = {}, updates = [], ...rest } = request;
      const made = Object.keys(envDict as object).length + (updates as unknown[]).length;
      return { method, rest, headers, raw: made === 0 ? bytes.toString("latin1") : "" };
    }),
    { depth: 20, maxArrayLength: null, maxStringLength: null },
  );
}

it.each(shapes.map((shape, index) => [index, shape] as const))(
  "tells nothing of value %i",
  async (_, shape) => {
    const secret = mark();
    const value = shape(secret) as string;
    const fields = (companion: unknown) => ({ GOOD_KEY: value, OTHER: companion }) as never;
    const provider = open();
    const attempts: Promise<unknown>[] = [];
    const attempt = (change: unknown, text = "modal://train") =>
      attempts.push(errorOf(write(provider, text, change as Change)));
    for (const companion of companions) attempt({ mode: "replace", fields: fields(companion) });
    attempt({ mode: "merge", fields: fields(undefined) });
    // In the place of a key and of a reference's parts.
    if (typeof value === "string") {
      attempt({ mode: "replace", fields: { [`${value}-`]: "v" } });
      attempt({ mode: "merge", fields: { [`-${value}`]: null, A: "v" } });
      attempts.push(attach(provider, [`modal://train#-${secret}`]).then(([outcome]) => outcome));
      attempts.push(attach(provider, [`modal://${secret}!#KEY`]).then(([outcome]) => outcome));
    }
    const errors = await Promise.all(attempts);
    expect(errors.every((error) => error instanceof SecretError)).toBe(true);
    expect(prints(errors) + errors.map(prints).join("\n")).not.toMatch(new RegExp(secret, "i"));
    expect(prints(provider)).not.toMatch(new RegExp(secret, "i"));
    expect(recorded()).not.toMatch(new RegExp(secret, "i"));
    expect(inspect(printed)).not.toMatch(new RegExp(secret, "i"));
  },
);

it("tells nothing of what a server echoes, and sends values in their fields only", async () => {
  const secret = mark();
  used.server.seedSecret("leaky", { KEY: "v" });
  const provider = open();
  const found: unknown[] = [];
  for (const fault of echoes(secret)) {
    used.server.fault("SecretGetOrCreate", fault);
    found.push(...(await attach(provider, ["modal://leaky#KEY"])));
    used.server.fault("SecretGetOrCreate", fault);
    const replace = { mode: "replace", fields: { KEY: secret } } as const;
    found.push(await errorOf(write(provider, "modal://leaky", replace)));
    used.server.fault("SecretUpdate", fault);
    const merge = { mode: "merge", fields: { KEY: secret } } as const;
    found.push(await errorOf(write(provider, "modal://leaky", merge)));
  }
  used.server.fault("SecretGetOrCreate", { breaks: "hang" });
  const hung = open({ timeoutMs: 100 });
  found.push(
    await errorOf(write(hung, "modal://leaky", { mode: "replace", fields: { A: secret } })),
  );
  expect(found.filter((one) => one instanceof Error).length).toBeGreaterThan(12);
  expect(found.map(prints).join("\n")).not.toContain(secret);
  expect(recorded()).not.toContain(secret);
  expect(inspect(printed)).not.toContain(secret);
  // The search finds what is there.
  expect(inspect(used.server.calls, { depth: 20, maxArrayLength: null })).toContain(secret);
});

it("does not show the client or its token", async () => {
  const token = String(used.server.env()["MODAL_TOKEN_SECRET"]);
  const client = await newClient();
  for (const provider of [open(), open({ client })]) {
    await attach(provider, ["modal://train#KEY"]);
    const secrets = createSecrets({ providers: [provider] });
    expect(prints(provider) + prints(secrets)).not.toContain(token);
  }
  // The client itself does.
  expect(prints(client)).toContain(token);
});

it("would leak without the checks: the client prints every value of the call", async () => {
  const secret = mark();
  const client = await newClient();
  const entries = { GOOD: secret, BAD: undefined } as unknown as Record<string, string>;
  expect(prints(await errorOf(client.secrets.fromObject(entries)))).toContain(secret);
});
