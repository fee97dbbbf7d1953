/**
 * The provider contract for every adapter, with the real clients against loopback servers.
 *
 * Against real clouds: set NOPEEK_TEST_AWS_PREFIX to a name prefix (such as `nopeek-test/`) with AWS
 * credentials and region in the environment, or NOPEEK_TEST_GCP_PROJECT to a project with
 * application default credentials. Secrets below the prefix, or named nopeek-test-*, are created
 * and left: delete them afterwards. Only what needs no fault is run there.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseReference, type SecretProvider } from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { env } from "nopeek/adapters/env";
import { gcp } from "nopeek/adapters/gcp";
import { type ContractFixture, memory, providerContract, startAws, startGcp } from "nopeek/testing";
import { afterAll, beforeEach, describe, test } from "vitest";
import { awsFixture, gcpFixture, stubCloudEnvironment } from "../support/cloud-fixtures.ts";

const awsServer = await startAws();
const gcpServer = await startGcp();
const folder = await mkdtemp(join(tmpdir(), "nopeek-contract-"));

afterAll(async () => {
  await Promise.all([awsServer.close(), gcpServer.close(), rm(folder, { recursive: true })]);
});

const { NOPEEK_TEST_AWS_PREFIX: awsPrefix, NOPEEK_TEST_GCP_PROJECT: gcpProject } = process.env;

describe.each<readonly [string, ContractFixture]>([
  ["aws", awsFixture(awsServer)],
  ["gcp", gcpFixture(gcpServer)],
  ["env", envFixture()],
  ["dotenv", dotenvFixture()],
  ["memory", memoryFixture()],
])("the contract of %s", (_, fixture) => {
  beforeEach(() => stubCloudEnvironment(awsServer.env));
  runContract(fixture);
});

describe.skipIf(!awsPrefix)("the contract of real AWS (needs NOPEEK_TEST_AWS_PREFIX)", () => {
  const name = () => `aws-sm://${awsPrefix}${randomUUID()}`;
  runContract(realFixture(() => aws(), name));
});

describe.skipIf(!gcpProject)("the contract of real GCP (needs NOPEEK_TEST_GCP_PROJECT)", () => {
  const name = () => `gcp-sm://${gcpProject}/nopeek-test-${randomUUID()}`;
  runContract(realFixture(() => gcp(), name));
});

function runContract(fixture: ContractFixture): void {
  for (const { name, needs, run } of providerContract) {
    const skip = !needs.every((feature) => fixture.supports.has(feature));
    test.skipIf(skip)(name, () => run(fixture), 20_000);
  }
}

function envFixture(): ContractFixture {
  const vars: Record<string, string> = {};
  const name = () => `V${randomUUID().replaceAll("-", "")}`;
  return {
    supports: new Set(["fields"]),
    provider: () => env({ vars }),
    seed(value) {
      const key = name();
      vars[key] = String(value);
      return `env://${key}`;
    },
    missing: () => `env://${name()}`,
  };
}

/** The whole reference holds a field here, so that the cases with fields cannot be run. */
function dotenvFixture(): ContractFixture {
  const missing = async () => {
    const path = join(folder, randomUUID());
    await writeFile(path, "OTHER=x\n", { mode: 0o600 });
    return `dotenv://${path}#KEY`;
  };
  return {
    supports: new Set(),
    provider: () => env(),
    async seed(value) {
      const path = join(folder, randomUUID());
      // A value with all quotes can only stand bare.
      await writeFile(path, `KEY=${value}\n`, { mode: 0o600 });
      return `dotenv://${path}#KEY`;
    },
    missing,
  };
}

function memoryFixture(): ContractFixture {
  const values: Record<string, string | Uint8Array> = {};
  return {
    supports: new Set(["fields", "bytes", "stage"]),
    // A provider knows what was seeded until it is made.
    provider: () => memory({ "any://none-of-these": "x", ...values }),
    seed(value) {
      const reference = `any://${randomUUID()}`;
      values[reference] = value;
      return reference;
    },
    missing: () => `any://${randomUUID()}`,
  };
}

function realFixture(provider: () => SecretProvider, name: () => string): ContractFixture {
  return {
    supports: new Set(["fields", "bytes", "close"]),
    provider,
    async seed(value) {
      const reference = name();
      const { signal } = new AbortController();
      const writer = provider();
      await writer.write?.(parseReference(reference), { mode: "replace", value }, { signal });
      await writer.close?.();
      return reference;
    },
    missing: name,
  };
}
