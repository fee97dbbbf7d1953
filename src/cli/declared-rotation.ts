/** A rotation of the configuration with its stores and its target, ready to be run. */
import { env } from "../../adapters/env.ts";
import { baseOf, type ConfigRotation, type LoadedConfig } from "../config/index.ts";
import type { Copy, RotationTarget } from "../rotate/index.ts";
import {
  createSecrets,
  parseReference,
  type Reference,
  type Secret,
  type Secrets,
} from "../secrets/index.ts";
import { providersFor } from "./providers.ts";
import { referenceOf } from "./rotated-reference.ts";
import { makeTarget } from "./rotation-target.ts";

interface PreparedRotation extends AsyncDisposable {
  readonly from: Secrets;
  readonly secret: Reference;
  readonly target: RotationTarget;
  readonly publish: readonly (Reference | Copy)[];
}

/**
 * Opens the stores of a rotation and makes its target.
 *
 * @param options - `read`: where a pasted value comes from, if not from a terminal.
 * @throws SecretError `REFERENCE_INVALID`, `DECLARATION_INVALID`, and what loading a store throws.
 */
export async function prepareRotation(
  config: LoadedConfig | null,
  rotation: ConfigRotation,
  {
    say,
    read,
  }: {
    readonly say: (message: string) => void;
    readonly read: (() => Promise<Secret>) | undefined;
  },
): Promise<PreparedRotation> {
  const base = config === null ? undefined : baseOf(config);
  const reference = (text: string) => parseReference(text, { base });
  const secret = referenceOf(config, rotation);
  const publish = (rotation.publish ?? []).map((copy) => copyOf(copy, reference));
  const admin = rotation.target.type === "postgres" ? rotation.target.admin?.password : undefined;
  const texts = [secret, ...publish.map((copy) => ("to" in copy ? copy.to : copy))].map(textOf);
  const providers = await providersFor([...texts, ...(admin === undefined ? [] : [admin])]);
  const from = createSecrets({
    providers: [env({ onWarning: say }), ...providers],
    environment: config?.environment,
    onWarning: say,
  });
  try {
    const target = await makeTarget(rotation.target, {
      resolve: (text) => from.get(reference(text), { maxAgeMs: 0 }),
      read,
    });
    return { from, secret, target, publish, [Symbol.asyncDispose]: () => from.close() };
  } catch (error) {
    await from.close();
    throw error;
  }
}

function copyOf(
  copy: NonNullable<ConfigRotation["publish"]>[number],
  reference: (text: string) => Reference,
): Reference | Copy {
  return typeof copy === "string" ? reference(copy) : { to: reference(copy.to), keys: copy.keys };
}

function textOf(reference: string | Reference): string {
  return typeof reference === "string" ? reference : reference.text;
}
