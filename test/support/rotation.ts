/** Parts of rotation tests: a database with two users, an issuer, programs that stand for a target. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecrets, Secret, type SecretProvider } from "nopeek";
import {
  type RotateOptions,
  type RotationResult,
  type RotationTarget,
  randomValue,
  rotate,
} from "nopeek/rotate";
import { memory } from "nopeek/testing";
import { randomToken } from "./values.ts";

/** A database in memory: who may log in with what. */
export class Database {
  readonly passwords = new Map<string, string>();
  /** What goes wrong with the next call of each kind. */
  readonly faults = new Map<"set" | "works" | "revoke", () => void | Promise<void>>();

  accepts(user: string, password: string): boolean {
    return this.passwords.get(user) === password;
  }

  /** The two users take turns. */
  target(changes: Partial<RotationTarget> = {}): RotationTarget {
    return {
      name: "database",
      strategy: "alternating",
      fields: { id: "user", secret: "password" },
      propose: async (current) => ({
        id: current?.id === "app_a" ? "app_b" : "app_a",
        secret: new Secret(randomValue(), { name: "PASSWORD" }),
      }),
      set: async ({ id = "", secret }) => {
        const fault = this.faults.get("set");
        // A fault after the change: the answer is lost.
        if (fault?.name !== "lost") await fault?.();
        if (fault?.name !== "ignored") this.passwords.set(id, secret.reveal());
        if (fault?.name === "lost") await fault();
      },
      works: async ({ id = "", secret }) => {
        await this.faults.get("works")?.();
        return this.accepts(id, secret.reveal());
      },
      revoke: async ({ id = "" }) => {
        await this.faults.get("revoke")?.();
        this.passwords.delete(id);
      },
      ...changes,
    };
  }
}

/** A document whose user the database accepts. */
export function firstDocument(database: Database): {
  user: string;
  password: string;
  host: string;
} {
  const password = randomToken();
  database.passwords.set("app_a", password);
  return { user: "app_a", password, host: "db.internal" };
}

/**
 * Programs of a target that keeps its values in a folder, one file each, named by a digest: nobody
 * finds a value in arguments, environment or names.
 */
export function programs(folder: string): { set: string[]; works: string[]; revoke: string[] } {
  const digest = `name() { sha256sum | cut -c1-40; }\ncd "${folder}/accepted" || exit 9\n`;
  const log = `tr '\\0' ' ' < /proc/$$/cmdline >> "${folder}/seen"; env >> "${folder}/seen"\n`;
  const write = (name: string, body: string): string[] => {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${digest}${log}${body}`);
    chmodSync(file, 0o755);
    return [file];
  };
  return {
    set: write("set", 'touch "$(name)"\necho "set the value $(cat)"\n'),
    works: write("works", 'test -e "$(name)" && exit 0\nexit 1\n'),
    revoke: write("revoke", 'rm -f "$(name)"\n'),
  };
}

const secretOfHub = "s://key";

/** What a key of {@link hub} may be stored in. */
export const hubStores = [
  ["a store with versions", true],
  ["a store of one value", false],
] as const;

/** A store without versions. */
function oneValue(value: string): SecretProvider {
  const stored = { value };
  return {
    name: "one value",
    schemes: ["s"],
    capabilities: ["read", "write"],
    read: async (references) => references.map(() => ({ ...stored })),
    async write(_, change) {
      if ("value" in change) stored.value = String(change.value);
      return {};
    },
  };
}

/** A target that issues keys, and its key in a store with versions or in one without. */
export function hub(hasVersions: boolean): {
  first: string;
  accepted: Set<string>;
  run(changes?: Partial<RotationTarget>, more?: Partial<RotateOptions>): Promise<RotationResult>;
  stored(): Promise<string>;
} {
  const first = randomToken();
  const accepted = new Set([first]);
  const from = createSecrets({
    providers: [hasVersions ? memory({ [secretOfHub]: first }) : oneValue(first)],
  });
  const target: RotationTarget = {
    name: "hub",
    strategy: "issuer",
    propose: async () => ({ secret: new Secret(randomValue()) }),
    set: async ({ secret }) => void accepted.add(secret.reveal()),
    works: async ({ secret }) => accepted.has(secret.reveal()),
    revoke: async ({ secret }) => void accepted.delete(secret?.reveal() ?? ""),
  };
  const run = (changes: Partial<RotationTarget> = {}, more: Partial<RotateOptions> = {}) =>
    rotate({
      ...{ from, secret: secretOfHub, target: { ...target, ...changes } },
      ...{ overlapMs: 0, apply: true, ...more },
    });
  const stored = async () => (await from.get(secretOfHub, { maxAgeMs: 0 })).reveal();
  return { first, accepted, run, stored };
}
