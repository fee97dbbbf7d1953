import type { SecretProvider } from "../secrets/index.ts";

/** The adapters by scheme. Each is loaded when a reference needs it; its client later still. */
const adapters: Readonly<Record<string, () => Promise<SecretProvider>>> = {
  "aws-sm": async () => {
    // The client's notice about Node versions is for who installs it, not for every run.
    process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
    return (await import("../../adapters/aws/index.ts")).aws();
  },
  "gcp-sm": async () => (await import("../../adapters/gcp/index.ts")).gcp(),
  modal: async () => (await import("../../adapters/modal/index.ts")).modal(),
};

/** The schemes that the command knows, whether or not a reference uses them. */
export const knownSchemes: readonly string[] = ["env", "dotenv", ...Object.keys(adapters)];

/**
 * Loads the adapters that serve the references.
 *
 * @returns For an unknown scheme all of them, so that the refusal can name what there is.
 */
export function providersFor(references: readonly string[]): Promise<SecretProvider[]> {
  const schemes = new Set(references.map((reference) => reference.split("://", 1)[0] ?? ""));
  const isUnknown = [...schemes].some((scheme) => !knownSchemes.includes(scheme));
  const wanted = Object.entries(adapters).filter(([scheme]) => isUnknown || schemes.has(scheme));
  return Promise.all(wanted.map(([, load]) => load()));
}
