/** Role passwords of a real PostgreSQL; skipped with the reason where none is installed. */

import { createSecrets, Secret } from "nopeek";
import { type PostgresOptions, postgres } from "nopeek/adapters/postgres";
import { type RotateOptions, rotate } from "nopeek/rotate";
import { memory } from "nopeek/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Postgres, postgresMissing, startPostgres } from "../support/postgres.ts";
import { codeOfLater, isSlow } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

const missing = postgresMissing();
const dayMs = 86_400_000;
const reference = "aws-sm://ml/db";

interface Document {
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

describe.skipIf(missing !== null)(
  `postgres${missing === null ? "" : ` (skipped: ${missing})`}`,
  () => {
    let server: Postgres;
    let count = 0;
    beforeAll(async () => {
      server = await startPostgres();
    }, 60_000);
    afterAll(() => server.stop());

    async function sql(statement: string, user = server.admin): Promise<unknown[]> {
      const client = new pg.Client({
        host: "127.0.0.1",
        port: server.port,
        database: "postgres",
        ...user,
      });
      await client.connect();
      try {
        return (await client.query(statement)).rows;
      } finally {
        await client.end();
      }
    }

    const canLogIn = (user: string, password: string) =>
      sql("SELECT 1", { user, password }).then(
        () => true,
        () => false,
      );

    /** Two roles of which the first may log in, and a store that says so. */
    async function world(options: Partial<PostgresOptions> = {}) {
      count += 1;
      const roles = [`train_${count}_a`, `train "${count}" b`.replaceAll('"', "")] as const;
      const password = randomToken();
      await sql(`CREATE ROLE "${roles[0]}" LOGIN PASSWORD '${password}'`);
      await sql(`CREATE ROLE "${roles[1]}" NOLOGIN`);
      const document = JSON.stringify({ host: "db", username: roles[0], password });
      const from = createSecrets({ providers: [memory({ [reference]: document })] });
      const target = postgres({
        host: "127.0.0.1",
        port: server.port,
        admin: { user: server.admin.user, password: new Secret(server.admin.password) },
        roles,
        ...options,
      });
      const run = (more: Partial<RotateOptions> = {}) =>
        rotate({ from, secret: reference, target, overlapMs: dayMs, apply: true, ...more });
      const read = async () =>
        JSON.parse((await from.get(reference, { maxAgeMs: 0 })).reveal()) as Document;
      return { roles, password, from, target, run, read };
    }

    it("rotates two roles in turns, and ends the login of the old one after the overlap", async () => {
      const { roles, password, run, read } = await world();
      expect(await run()).toMatchObject({
        outcome: "rotated",
        strategy: "alternating",
        gap: undefined,
      });
      const second = await read();
      expect([second.username, second.host]).toEqual([roles[1], "db"]);
      expect(await canLogIn(roles[1], second.password)).toBe(true);
      expect(await canLogIn(roles[0], password)).toBe(true);
      const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + dayMs + 1);
      expect(await run({ minAgeMs: 10 * dayMs })).toMatchObject({ outcome: "ended" });
      clock.mockRestore();
      expect(await canLogIn(roles[0], password)).toBe(false);
      expect(await canLogIn(roles[1], second.password)).toBe(true);
      // The next turn gives the first role its login back.
      expect(await run()).toMatchObject({ outcome: "rotated" });
      const third = await read();
      expect(third.username).toBe(roles[0]);
      expect(await canLogIn(roles[0], third.password)).toBe(true);
      expect(await canLogIn(roles[0], password)).toBe(false);
    }, 30_000);

    it("no password stands in the server's log, only verifiers", async () => {
      const { run, read } = await world();
      await run();
      const { password } = await read();
      expect(server.log()).toContain("SCRAM-SHA-256$4096:");
      expect(server.log().includes(password)).toBe(false);
    }, 30_000);

    it("a leaked password ends open sessions too", async () => {
      const { roles, password, run } = await world();
      const client = new pg.Client({
        host: "127.0.0.1",
        port: server.port,
        database: "postgres",
        user: roles[0],
        password,
      });
      await client.connect();
      const ended = new Promise((settle) => client.on("error", settle));
      const result = await run({ leaked: true });
      expect(result.usedBy).toEqual([`postgres: 1 open session of ${roles[0]}`]);
      await ended;
      expect(await canLogIn(roles[0], password)).toBe(false);
    }, 30_000);

    it("one role is static: it names its gap, and works after it", async () => {
      const { roles, password, run, read } = await world();
      const target = postgres({
        host: "127.0.0.1",
        port: server.port,
        roles: [roles[0]],
        // Without an admin the role changes its own password.
      });
      const plan = await run({ target, apply: false });
      expect(plan.gap).toContain("from the moment it is set until the new one is current");
      expect(plan.steps.map(({ step }) => step)).not.toContain("revoke");
      expect(await run({ target })).toMatchObject({ outcome: "rotated", strategy: "static" });
      expect(await canLogIn(roles[0], (await read()).password)).toBe(true);
      expect(await canLogIn(roles[0], password)).toBe(false);
    }, 30_000);

    it("a process that slept through another rotation changes nothing", async () => {
      const { roles, run, read, target } = await world();
      // Sleeps between its decision and the change: asks again under the lock, and is told no.
      const sleepy = {
        ...target,
        set: async (...[next, context]: Parameters<NonNullable<typeof target.set>>) => {
          await run({ target });
          const now = Date.now();
          const clock = vi.spyOn(Date, "now").mockReturnValue(now + dayMs + 1);
          await run({ target });
          clock.mockRestore();
          await target.set?.(next, context);
        },
      };
      const ended = await run({ target: sleepy });
      expect(ended.outcome).toBe("superseded");
      const { username, password } = await read();
      expect(roles).toContain(username);
      expect(await canLogIn(username, password)).toBe(true);
    }, 30_000);

    it("two rotators at once wait for the role's lock", async () => {
      const { run, read } = await world();
      const ended = await Promise.all([run(), run(), run()]);
      expect(ended.filter(({ outcome }) => outcome === "rotated").length).toBeGreaterThan(0);
      const { username, password } = await read();
      expect(await canLogIn(username, password)).toBe(true);
    }, 30_000);

    it("refuses a server that asks for no password, a wrong target, and what an admin may not do", async () => {
      const { roles, run, password } = await world();
      const at = { host: "127.0.0.1", port: server.port };
      const weak = { user: roles[0], password: new Secret(password) };
      const denied = run({ target: postgres({ ...at, admin: weak, roles }) });
      await expect(denied).rejects.toMatchObject({
        code: "ROTATION_ROLLED_BACK",
        message: expect.stringContaining("CREATEROLE"),
      });
      const others = postgres({ ...at, admin: weak, roles: ["x", "y"] });
      expect(await codeOfLater(() => run({ target: others }))).toBe("DECLARATION_INVALID");
      const away = postgres({ host: "127.0.0.1", port: 1, admin: weak, roles });
      expect(await codeOfLater(() => run({ target: away }))).toBe("SECRET_UNREACHABLE");
      await sql(`CREATE ROLE open_door LOGIN PASSWORD '${password}'`);
      const trusting = createSecrets({
        providers: [memory({ [reference]: JSON.stringify({ username: "open_door", password }) })],
      });
      const target = postgres({ ...at, roles: ["open_door"] });
      const untested = rotate({
        from: trusting,
        secret: reference,
        target,
        overlapMs: 0,
        apply: true,
      });
      await expect(untested).rejects.toMatchObject({
        code: "ROTATION_REFUSED",
        message: expect.stringContaining("without asking for a password"),
      });
      const open = postgres({ host: "db.example", ssl: false, admin: weak, roles });
      expect(await codeOfLater(() => run({ target: open }))).toBe("ENDPOINT_REFUSED");
      // Control: nothing of this changed anything.
      expect(await run()).toMatchObject({ outcome: "rotated" });
    }, 30_000);

    it(
      "a consumer that reads and logs in all the time is never refused",
      async () => {
        const { run, read } = await world();
        const state: { isOver: boolean; refused: number; logins: number } = {
          isOver: false,
          refused: 0,
          logins: 0,
        };
        const consumer = (async () => {
          while (!state.isOver) {
            const { username, password } = await read();
            state.logins += 1;
            if (!(await canLogIn(username, password))) state.refused += 1;
          }
        })();
        let now = Date.now();
        const clock = vi.spyOn(Date, "now").mockImplementation(() => now);
        for (let round = 0; round < (isSlow ? 1_000 : 15); round += 1) {
          expect((await run()).outcome).toBe("rotated");
          now += dayMs;
        }
        clock.mockRestore();
        state.isOver = true;
        await consumer;
        expect(state.refused).toBe(0);
        expect(state.logins).toBeGreaterThan(10);
      },
      isSlow ? 1_800_000 : 300_000,
    );
  },
);

it.each<readonly [string, Partial<PostgresOptions>]>([
  ["three roles", { roles: ["a", "b", "c"] as unknown as [string] }],
  ["one role twice", { roles: ["a", "a"] }],
  ["a role with quotes", { roles: ['a"; DROP ROLE b; --'] }],
  ["two roles without an admin", { roles: ["a", "b"] }],
])("%s is refused", (_, options) => {
  expect(() => postgres({ host: "localhost", roles: ["a"], ...options })).toThrow(
    expect.objectContaining({ code: "DECLARATION_INVALID" }),
  );
});
