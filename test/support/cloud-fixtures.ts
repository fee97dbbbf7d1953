import { randomUUID } from "node:crypto";
import { aws } from "nopeek/adapters/aws";
import { gcp } from "nopeek/adapters/gcp";
import type { AwsServer, ContractFeature, ContractFixture, GcpServer } from "nopeek/testing";
import { vi } from "vitest";

/** Short enough for a test to wait for it, long enough for a busy machine. */
export const timeoutMs = 1_500;

/** What the adapters do not reach for in a test, and where they go instead. */
export function stubCloudEnvironment(env: Readonly<Record<string, string | undefined>>): void {
  const quiet = {
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    no_proxy: "127.0.0.1,localhost",
  };
  for (const [name, value] of Object.entries({ ...quiet, ...env })) vi.stubEnv(name, value);
}

const all: readonly ContractFeature[] = [
  "fields",
  "bytes",
  "denied",
  "throttled",
  "unreachable",
  "late",
  "close",
  "stage",
];

const kinds = {
  denied: "denied",
  throttled: "throttled",
  unreachable: "unavailable",
  late: "delay",
} as const;

export function awsFixture(server: AwsServer): ContractFixture {
  return {
    supports: new Set(all),
    provider: () => aws({ endpoint: server.endpoint, timeoutMs, maxAttempts: 2 }),
    seed(value) {
      const name = `contract/${randomUUID()}`;
      server.seed(name, value);
      return `aws-sm://${name}`;
    },
    missing: () => `aws-sm://contract/${randomUUID()}`,
    fail: (how) => server.fail({ kind: kinds[how], times: 100 }),
    heal: () => server.reset(),
  };
}

export function gcpFixture(server: GcpServer): ContractFixture {
  return {
    supports: new Set(all),
    provider: () => gcp({ endpoint: server.endpoint, timeoutMs, maxAttempts: 2 }),
    seed(value) {
      const name = `contract-${randomUUID()}`;
      server.seed(name, value);
      server.setAliases(name, { current: 1 });
      return `gcp-sm://${server.project}/${name}`;
    },
    missing: () => `gcp-sm://${server.project}/contract-${randomUUID()}`,
    fail: (how) => server.fail({ kind: kinds[how], times: 100 }),
    heal: () => server.reset(),
  };
}
