import { type Opaque, opaque, withheld } from "./fields.ts";

/**
 * Variables in which CI systems give the number of who started a job. Their names of persons are
 * not looked at.
 */
const principals: readonly (readonly [system: string, variable: string])[] = [
  ["github", "GITHUB_ACTOR_ID"],
  ["gitlab", "GITLAB_USER_ID"],
  ["azure", "BUILD_REQUESTEDFORID"],
  ["bitbucket", "BITBUCKET_STEP_TRIGGERER_UUID"],
];

/**
 * Who acts, as an opaque id: the principal of a CI system, else the number of this user.
 *
 * @example
 * currentActor(); // "uid:1000"
 */
export function currentActor(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): Opaque<"actor"> {
  for (const [system, variable] of principals) {
    const value = variables[variable];
    if (value === undefined) continue;
    const actor = opaque("actor", `${system}:${value.toLowerCase()}`);
    if (actor !== withheld) return actor;
  }
  return opaque("actor", `uid:${process.getuid?.() ?? 0}`);
}
