/**
 * PostgreSQL role passwords as the target of a rotation, exported as `nopeek/adapters/postgres`.
 *
 * The client, `pg`, is an optional peer, loaded at the first use.
 *
 * @module
 */
import type { Client } from "pg";
import {
  type ChangeContext,
  type Credential,
  type RandomOptions,
  type RotationTarget,
  randomValue,
} from "../../src/rotate/index.ts";
import { Secret, SecretError } from "../../src/secrets/index.ts";
import { withSession } from "./connect.ts";
import { scramVerifier } from "./scram.ts";
import type { PostgresServer } from "./server.ts";

export type { PostgresServer } from "./server.ts";

export interface PostgresOptions extends PostgresServer {
  /** Who may change the roles. Default: the role itself, which only a single role can. */
  readonly admin?:
    | { readonly user: string; readonly password: Secret | (() => Promise<Secret>) }
    | undefined;
  /** Two roles that take turns, or one, which is without a password that works for a moment. */
  readonly roles: readonly [string] | readonly [string, string];
  /** Keys of the stored document; default `username` and `password`. */
  readonly fields?: { readonly id: string; readonly secret: string } | undefined;
  /** The password that is made; default: 43 characters with 256 bits. */
  readonly password?: RandomOptions | undefined;
}

/** How long to wait for another rotation of the role. */
const lockTimeoutMs = 10_000;
const defaultFields = { id: "username", secret: "password" };

/**
 * Changes passwords of PostgreSQL roles. The server gets a SCRAM verifier, so that no password
 * stands in its log. A change is made while a lock on the role is held and the rotation still wants
 * it: a process that slept through another rotation changes nothing. The role that is not current
 * cannot log in after its overlap.
 *
 * Its methods throw `SecretError`: `SECRET_UNAUTHENTICATED`, `SECRET_ACCESS_DENIED`,
 * `SECRET_REQUEST_INVALID`, `SECRET_UNREACHABLE`, `SECRET_CONFLICT` for a change that is not wanted
 * any more, `ENDPOINT_REFUSED` without TLS, `PROVIDER_MISSING`, and `ROTATION_REFUSED` if the server
 * asks for no password, so that nothing can be tested.
 *
 * @throws {@link SecretError} `DECLARATION_INVALID` for wrong options.
 *
 * @example
 * const target = postgres({
 *   host: "db.internal",
 *   admin: { user: "rotator", password: () => secrets.get("aws-sm://ml/db-admin#password") },
 *   roles: ["train_a", "train_b"],
 * });
 */
export function postgres(options: PostgresOptions): RotationTarget {
  const { roles, admin, fields = defaultFields } = options;
  checkRoles(roles, admin !== undefined);
  const asAdmin = async <T>(
    { signal, current }: { signal: AbortSignal; current?: Credential | undefined },
    work: (client: Client) => Promise<T>,
  ): Promise<T> => {
    if (admin !== undefined) {
      const { user, password } = admin;
      const secret = password instanceof Secret ? password : await password();
      return withSession(options, { user, password: secret }, signal, work);
    }
    if (current === undefined) throw invalid("without admin it needs the current password");
    return withSession(options, userOf(current), signal, work);
  };

  return {
    name: "postgres",
    strategy: roles.length === 2 ? "alternating" : "static",
    fields,
    async propose(current) {
      if (current !== null) ownRole(current.id);
      const id = roles.find((role) => roles.length === 1 || role !== current?.id) ?? roles[0];
      return { id, secret: new Secret(randomValue(options.password)) };
    },
    async set(next, context) {
      const role = ownRole(next.id);
      const verifier = await scramVerifier(next.secret.reveal());
      // A role may change its own password, and nothing else of itself.
      const login = admin === undefined ? "" : " LOGIN";
      const statement = `ALTER ROLE ${quoted(role)}${login} PASSWORD '${verifier}'`;
      await asAdmin(context, (client) => changeRole(client, role, context, [statement]));
    },
    works: (credential, { signal }) => logsIn(options, credential, signal),
    async list({ signal }) {
      // Every role may read this view.
      if (admin === undefined) return [];
      const { rows } = await asAdmin({ signal }, (client) =>
        client.query("SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND rolcanlogin", [
          [...roles],
        ]),
      );
      return rows.map(({ rolname }: { rolname: string }) => ({ id: rolname }));
    },
    async revoke(old, context) {
      const role = ownRole(old.id);
      if (role === context.current?.id) throw invalid("the current role is never revoked");
      await asAdmin(context, async (client) => {
        await changeRole(client, role, context, [
          `ALTER ROLE ${quoted(role)} NOLOGIN PASSWORD NULL`,
        ]);
        if (context.leaked) await endSessions(client, role);
      });
    },
    async usedBy({ id }, { signal }) {
      if (admin === undefined) return [];
      const { rows } = await asAdmin({ signal }, (client) =>
        client.query(
          "SELECT count(*)::int AS count FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid()",
          [ownRole(id)],
        ),
      );
      const count = Number((rows[0] as { count?: unknown } | undefined)?.count ?? 0);
      return count === 0
        ? []
        : [`postgres: ${count} open ${count === 1 ? "session" : "sessions"} of ${id}`];
    },
  };

  function ownRole(id: string | undefined): string {
    const role = roles.find((own) => own === id);
    if (role !== undefined) return role;
    throw invalid(
      `the stored user is none of its roles (${roles.join(", ")}); check the fields and roles`,
    );
  }
}

/** One transaction under the role's lock, of what is still wanted when the lock is held. */
async function changeRole(
  client: Client,
  role: string,
  { isWanted }: ChangeContext,
  statements: readonly string[],
): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    await client.query("SELECT pg_advisory_xact_lock(hashtext('nopeek'), hashtext($1))", [role]);
    if (!(await isWanted())) {
      throw new SecretError(
        "SECRET_CONFLICT",
        `postgres: the change of ${role} is not wanted any more; another rotation was faster`,
      );
    }
    for (const statement of statements) await client.query(statement);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** Who has a session keeps it when the password changes; who leaked it may be among them. */
async function endSessions(client: Client, role: string): Promise<void> {
  await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid()",
    [role],
  );
}

async function logsIn(
  server: PostgresServer,
  credential: Credential,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await withSession(server, userOf(credential), signal, async (_, { forPassword }) => {
      if (forPassword) return true;
      throw new SecretError(
        "ROTATION_REFUSED",
        `postgres at ${server.host} lets ${credential.id} in without asking for a password, so none can be tested; set scram-sha-256 in its pg_hba.conf`,
      );
    });
  } catch (error) {
    if (error instanceof SecretError && error.code === "SECRET_UNAUTHENTICATED") return false;
    throw error;
  }
}

function userOf({ id, secret }: Credential): { user: string; password: Secret } {
  return { user: id ?? "", password: secret };
}

function checkRoles(roles: readonly string[], hasAdmin: boolean): void {
  if (roles.length < 1 || roles.length > 2 || new Set(roles).size !== roles.length) {
    throw invalid("roles names one role, or two different ones");
  }
  // Names are quoted as identifiers; what cannot be one is refused.
  if (roles.some((role) => role === "" || role.length > 63 || /[\0"\\]/.test(role))) {
    throw invalid("a role has 1 to 63 characters, without quotes");
  }
  if (roles.length === 2 && !hasAdmin) {
    throw invalid("two roles need an admin, who sets the password of the one that is not current");
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function invalid(why: string): SecretError {
  return new SecretError("DECLARATION_INVALID", `postgres: ${why}`);
}
