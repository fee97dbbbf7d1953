/** No value leaves through an error or a stream, on any path of the cloud adapters that fails. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createSecrets, parseReference, type Reference, type SecretProvider } from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { gcp } from "nopeek/adapters/gcp";
import {
  type FaultKind,
  type LoopbackServer,
  startAws,
  startGcp,
  valuesPrintedBy,
} from "nopeek/testing";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { stubCloudEnvironment } from "../support/cloud-fixtures.ts";
import { gcpClient } from "../support/gcp-client.ts";
import { unusualValues } from "../support/unusual-values.ts";

const awsServer = await startAws();
const gcpServer = await startGcp();
const context = { signal: new AbortController().signal };
const values = unusualValues();
const together = values.join("\n");
const printed: string[] = [];

afterAll(() => Promise.all([awsServer.close(), gcpServer.close()]));

beforeEach(() => {
  stubCloudEnvironment({ ...awsServer.env, ...gcpServer.env });
  awsServer.reset();
  gcpServer.reset();
  printed.length = 0;
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((chunk) => {
      printed.push(String(chunk));
      return true;
    });
  }
});

interface Store {
  readonly server: LoopbackServer;
  readonly provider: SecretProvider;
  seed(value: string): Reference;
}

const newName = () => `leak-${randomUUID()}`;
const stores = {
  aws: {
    server: awsServer,
    provider: aws({ endpoint: awsServer.endpoint, timeoutMs: 3_000, maxAttempts: 1 }),
    seed(value) {
      const name = newName();
      awsServer.seed(name, value);
      return parseReference(`aws-sm://${name}`);
    },
  },
  gcp: {
    server: gcpServer,
    provider: gcp({ endpoint: gcpServer.endpoint, timeoutMs: 3_000, maxAttempts: 1 }),
    seed(value) {
      const name = newName();
      gcpServer.seed(name, value);
      gcpServer.setAliases(name, { current: 1 });
      return parseReference(`gcp-sm://${gcpServer.project}/${name}`);
    },
  },
} satisfies Record<string, Store>;

const quickFaults: readonly FaultKind[] = [
  "denied",
  "expired",
  "conflict",
  "invalid",
  "decryption",
  "truncated",
];
const slowFaults: readonly FaultKind[] = ["throttled", "unavailable", "internal", "reset", "html"];

/** What went wrong: thrown, or given as an outcome. */
async function failuresOf(
  works: readonly (() => Promise<unknown> | undefined)[],
): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const work of works) {
    try {
      const outcome = await work();
      if (Array.isArray(outcome)) failures.push(...outcome.filter((one) => one instanceof Error));
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

function expectClean(failures: readonly unknown[], expected: number, secret: readonly string[]) {
  expect(failures.length).toBeGreaterThanOrEqual(expected);
  for (const failure of failures) expect(valuesPrintedBy(failure, secret)).toEqual([]);
  expect(valuesPrintedBy(printed.join("\n"), secret)).toEqual([]);
}

describe.each(Object.entries<Store>(stores))("%s", (_, { server, provider, seed }) => {
  const paths = (reference: Reference, value: string) => [
    () => provider.read?.([reference], context),
    () => provider.write?.(reference, { mode: "replace", value }, context),
    () => provider.write?.(reference, { mode: "merge", fields: { key: value } }, context),
    () => provider.stage?.add(reference, { token: "t".repeat(32), base: "1", value }, context),
  ];

  test.each(quickFaults)("every value through every path that is %s", async (kind) => {
    for (const value of values) {
      const reference = seed(value);
      server.fail({ kind, times: 100, detail: value, after: value.length % 2 === 0 });
      const failures = await failuresOf(paths(reference, value));
      server.reset();
      expectClean(failures, 3, [value]);
    }
  });

  test.each(slowFaults)("all values at once through every path that is %s", async (kind) => {
    const reference = seed(together);
    server.fail({ kind, times: 100, detail: together });
    const [read, replace] = paths(reference, together);
    const failures = await failuresOf([read, replace].flatMap((path) => path ?? []));
    expectClean(failures, 2, values);
  });

  test("every value that is no document, too large or misplaced", async () => {
    await using secrets = createSecrets({ providers: [provider] });
    for (const value of values) {
      const { text } = seed(value);
      const large = value.repeat(Math.ceil(70_000 / value.length));
      const failures = await failuresOf([
        () => secrets.get(`${text}#field`),
        () =>
          provider.write?.(parseReference(text), { mode: "merge", fields: { a: "1" } }, context),
        () => provider.write?.(parseReference(text), { mode: "replace", value: large }, context),
      ]);
      expectClean(failures, 3, [value]);
    }
  });
});

test("a value with a wrong checksum", async () => {
  const { provider, seed } = stores.gcp;
  for (const value of values) {
    const reference = seed(value);
    gcpServer.fail({ kind: "wrong-crc" });
    expectClean(await failuresOf([() => provider.read?.([reference], context)]), 1, [value]);
  }
});

describe("positive controls", () => {
  test("a parser's message quotes what it parses", () => {
    const value = values[0] ?? "";
    // What begins like a number or a keyword of JSON is not quoted.
    const short = `x${value.slice(0, 9)}`;
    const error = (() => {
      try {
        return JSON.parse(short);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(valuesPrintedBy(error, [short])).toEqual([short]);
  });

  test("Google's client over REST puts the value into its error, and the adapter does not", async () => {
    const refusing = createServer((_, response) => {
      response.writeHead(403, { "content-type": "application/json" });
      const error = { code: 403, message: "denied", status: "PERMISSION_DENIED" };
      response.end(JSON.stringify({ error }));
    });
    await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
    const { port } = refusing.address() as AddressInfo;
    const client = gcpClient(`http://127.0.0.1:${port}`, "rest");
    const value = values[0] ?? "";
    const parent = "projects/p/secrets/s";
    const request = { parent, payload: { data: Buffer.from(value) } };
    const raw = await failuresOf([() => client.addSecretVersion(request)]);
    expect(valuesPrintedBy(raw[0], [value])).toEqual([value]);

    const reference = parseReference(`gcp-sm://${parent}`);
    const provider = gcp({ client, timeoutMs: 3_000 });
    const ours = await failuresOf([
      () => provider.write?.(reference, { mode: "replace", value }, context),
    ]);
    expect(ours[0]).toMatchObject({ code: "SECRET_ACCESS_DENIED" });
    expectClean(ours, 1, [value]);
    await client.close();
    refusing.closeAllConnections();
    refusing.close();
  });
});
