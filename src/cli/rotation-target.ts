import type { ConfigTarget } from "../config/index.ts";
import { command, pasted, type RotationTarget, random } from "../rotate/index.ts";
import type { Secret } from "../secrets/index.ts";

/** What a target needs of the command line. */
interface Needs {
  /** Resolves a reference of the configuration. */
  readonly resolve: (reference: string) => Promise<Secret>;
  /** The new value, where it was given on standard input. */
  readonly read: (() => Promise<Secret>) | undefined;
}

type Makers = {
  readonly [Type in ConfigTarget["type"]]: (
    target: Extract<ConfigTarget, { type: Type }>,
    needs: Needs,
  ) => Promise<RotationTarget>;
};

/** The targets by their type; those of clouds and databases are loaded when they are used. */
const makers: Makers = {
  random: async ({ type: _, ...options }) => random(options),
  command: async ({ type: _, ...options }) => command(options),
  pasted: async ({ type: _, ...options }, { read }) => pasted({ ...options, read }),
  postgres: async ({ type: _, admin, ...options }, { resolve }) => {
    const { postgres } = await import("../../adapters/postgres/index.ts");
    if (admin === undefined) return postgres(options);
    const { user, password } = admin;
    return postgres({ ...options, admin: { user, password: () => resolve(password) } });
  },
  iam: async ({ type: _, ...options }) => {
    process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
    return (await import("../../adapters/iam/index.ts")).iam(options);
  },
};

/** Makes the target of a rotation. */
export function makeTarget<Type extends ConfigTarget["type"]>(
  target: Extract<ConfigTarget, { type: Type }>,
  needs: Needs,
): Promise<RotationTarget> {
  return makers[target.type as Type](target, needs);
}
