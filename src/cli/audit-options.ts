import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { LoadedConfig } from "../config/index.ts";
import { SecretError } from "../secrets/index.ts";
import type { Arguments, Option } from "./verb.ts";

/** The options that name an audit log. */
export const auditOptions = {
  audit: { value: "DIR", about: "record what is done in the audit log in this folder" },
  "audit-anchors": {
    value: "DIR",
    about: "folder of the log's anchors (below ~/.local/state/nopeek)",
  },
  "audit-key": {
    value: "REFERENCE",
    about: "where the log's key is (env://NOPEEK_AUDIT_KEY)",
  },
} as const satisfies Record<string, Option>;

/** Where an audit log is, and where its key is. */
export interface NamedAudit {
  readonly dir: string;
  /** Undefined for the usual place. */
  readonly anchors: string | undefined;
  readonly key: string;
  /** The folder that a relative path in the reference of the key is meant from. */
  readonly base: string | undefined;
}

const usualKey = "env://NOPEEK_AUDIT_KEY";

/**
 * The log that the command line names, else the configuration.
 *
 * @param dir - The folder, where it is no option.
 * @throws SecretError `USAGE`.
 */
export function auditPlaceOf(
  args: Arguments,
  config: LoadedConfig | null,
  dir = args.value("audit"),
): NamedAudit | undefined {
  const configured = config?.audit;
  const anchors = args.value("audit-anchors");
  const key = args.value("audit-key");
  if (key !== undefined && !/^[a-z][a-z0-9-]*:\/\//.test(key)) {
    throw new SecretError(
      "USAGE",
      "--audit-key takes a reference such as env://NOPEEK_AUDIT_KEY, never the key itself",
    );
  }
  if (dir === undefined && configured === undefined) {
    if (anchors === undefined && key === undefined) return undefined;
    throw new SecretError("USAGE", "--audit-anchors and --audit-key need --audit DIR");
  }
  const base = config === null ? undefined : resolve(config.file, "..");
  const fromBase = (path: string) => resolve(base ?? ".", path);
  const isOther =
    dir !== undefined && configured !== undefined && fromBase(configured.dir) !== resolve(dir);
  const rest = isOther ? undefined : configured;
  return {
    dir: dir === undefined ? fromBase(configured?.dir ?? "") : resolve(dir),
    anchors: anchors === undefined ? rest?.anchors && fromBase(rest.anchors) : resolve(anchors),
    key: key ?? configured?.key ?? usualKey,
    base: key === undefined ? base : undefined,
  };
}

/** The folder of anchors where none is named: one for each log. */
export function usualAnchors(folderName: string): string {
  const given = process.env["XDG_STATE_HOME"];
  const state = given?.startsWith("/") ? given : join(homedir(), ".local/state");
  return join(state, "nopeek/anchors", folderName);
}
