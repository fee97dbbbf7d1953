/** A real PostgreSQL for tests, where one is installed. */
import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomToken } from "./values.ts";

/** PostgreSQL refuses to run as root: then as this user, that owns nothing. */
const nobody = 65534;

export interface Postgres {
  readonly port: number;
  readonly admin: { readonly user: string; readonly password: string };
  /** What the server has logged: every statement. */
  log(): string;
  stop(): Promise<void>;
}

/** Why there is none: shown where the tests are skipped. */
export function postgresMissing(): string | null {
  if (binaries() === null) return "PostgreSQL (initdb, postgres) is not installed";
  if (process.getuid?.() === 0 && !has("setpriv"))
    return "PostgreSQL cannot run as root, and setpriv is missing";
  return null;
}

/** Starts a server that logs every statement, asks for SCRAM over TCP, and goes when it is stopped. */
export async function startPostgres(): Promise<Postgres> {
  const bin = binaries() ?? "";
  const folder = mkdtempSync(join(tmpdir(), "nopeek-pg-"));
  const data = join(folder, "data");
  const password = randomToken();
  writeFileSync(join(folder, "password"), `${password}\n`);
  const asRoot = process.getuid?.() === 0;
  if (asRoot)
    for (const path of [folder, join(folder, "password")]) chownSync(path, nobody, nobody);
  chmodSync(folder, 0o755);
  const drop = asRoot
    ? ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"]
    : [];
  const command = (name: string, args: string[]) =>
    [...drop, join(bin, name), ...args] as [string, ...string[]];
  const [init, ...initArgs] = command("initdb", [
    ...[
      "-D",
      data,
      "-U",
      "rotator",
      "-A",
      "scram-sha-256",
      "--no-sync",
      "-E",
      "UTF8",
      "--locale=C",
    ],
    `--pwfile=${join(folder, "password")}`,
  ]);
  const options = { cwd: folder, env: { PATH: process.env["PATH"], HOME: folder, TZ: "UTC" } };
  execFileSync(init, initArgs, { ...options, stdio: "ignore" });
  // One role that is let in without a password, as careless servers do with all of them.
  const rules = join(data, "pg_hba.conf");
  writeFileSync(rules, `host all open_door 127.0.0.1/32 trust\n${readFileSync(rules, "utf8")}`);
  const port = await freePort();
  appendFileSync(
    join(data, "postgresql.conf"),
    `listen_addresses='127.0.0.1'\nport=${port}\nunix_socket_directories=''\nfsync=off\nlog_statement='all'\nlog_connections=on\nlog_min_error_statement=error\n`,
  );
  const [program, ...args] = command("postgres", ["-D", data]);
  const server = spawn(program, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  const ready = new Promise<void>((resolve, reject) => {
    server.stderr.on("data", (chunk) => {
      log += chunk;
      if (log.includes("ready to accept connections")) resolve();
    });
    server.on("exit", () => reject(new Error(`PostgreSQL did not start: ${log}`)));
  });
  await ready;
  return {
    port,
    admin: { user: "rotator", password },
    log: () => log,
    async stop() {
      const gone = new Promise((settle) => server.on("exit", settle));
      server.kill("SIGQUIT");
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function binaries(): string | null {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort().reverse() : [];
  const folders = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(":"),
  ];
  return (
    folders.find(
      (folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")),
    ) ?? null
  );
}

function has(program: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, program)));
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** The command lines and environments of all processes that can be seen, as one text. */
export function allProcesses(): string {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/cmdline`, "latin1") +
          readFileSync(`/proc/${pid}/environ`, "latin1")
        );
      } catch {
        return "";
      }
    })
    .join("\n");
}
