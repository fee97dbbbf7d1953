import { createRedactor, type Redactor } from "../redact/index.ts";
import {
  type Attached,
  assertUnmasked,
  createSecrets,
  type Declarations,
  defineSecrets,
  onSecret,
  type Resolution,
  Secret,
  type SecretInput,
  throwFailures,
} from "../secrets/index.ts";
import type { LaunchOptions } from "./options.ts";
import { rulesOf } from "./rules.ts";
import type { JobSecret, Runtime } from "./runtime.ts";

/** The secrets of a launch, resolved, and the redactor that knows them. Jobs can share one. */
export interface Declared extends Disposable {
  readonly secrets: readonly ResolvedSecret[];
  /** Secrets that the runtime injects itself. */
  readonly attached: readonly Attached[];
  /** Where each came from. */
  readonly resolutions: readonly Resolution[];
  /** Masks the declared secrets under their names, and whatever else this process knows. */
  readonly redactor: Redactor;
  /** The variables of all of them. */
  readonly names: readonly string[];
}

interface ResolvedSecret {
  readonly secret: Secret;
  readonly as: "env" | "file";
}

/**
 * Resolves everything that a launch declares, all of it or nothing.
 *
 * @throws SecretError From resolving.
 */
export async function resolveDeclared(options: LaunchOptions, runtime: Runtime): Promise<Declared> {
  const { secrets, attached, resolutions } = await resolveSecrets(options, runtime.attaches ?? []);
  const { audit } = options;
  // The declared ones first: their names stand in the masks. Then whatever else this process knows.
  const redactor = createRedactor({
    secrets: secrets.map(({ secret }) => secret),
    rules: rulesOf(options),
    // So that what a rule finds here can be found again by a search for its fingerprint.
    fingerprint: audit && ((value) => audit.fingerprint(value)),
  });
  const following = onSecret((secret) => redactor.add(secret));
  return {
    secrets,
    attached,
    resolutions,
    redactor,
    names: [...secrets.map(({ secret }) => secret), ...attached].map(({ name }) => name ?? ""),
    [Symbol.dispose]() {
      following[Symbol.dispose]();
      redactor[Symbol.dispose]();
    },
  };
}

async function resolveSecrets(
  options: LaunchOptions,
  attach: readonly string[],
): Promise<Pick<Declared, "secrets" | "attached" | "resolutions">> {
  const given = options.secrets ?? {};
  const declared =
    given instanceof Map
      ? (given as Declarations)
      : defineSecrets(given as Readonly<Record<string, SecretInput>>);
  const from = options.from ?? createSecrets({ providers: [] });
  const resolutions = await from.resolve(declared, { signal: options.signal, attach });
  throwFailures(resolutions.flatMap(({ failure }) => (failure ? [failure] : [])));
  const attached = resolutions.flatMap(({ attached }) => (attached ? [attached] : []));
  const secrets = resolutions.flatMap(({ name, secret }) => {
    if (secret === null) return [];
    assertUnmasked(secret);
    const declaration = declared.get(name);
    const as = declaration instanceof Secret ? "env" : (declaration?.as ?? "env");
    // Under the name of its variable, which is the name that the mask shows.
    const named = secret.name === name ? secret : new Secret(secret.revealBytes(), { name });
    return [{ secret: named, as }];
  });
  return { secrets, attached, resolutions };
}

export function toJobSecret({ secret, as }: ResolvedSecret): JobSecret {
  return { name: secret.name ?? "", value: secret.revealBytes(), as };
}
