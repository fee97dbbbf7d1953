import { type Reference, SecretError } from "../../src/secrets/index.ts";

/** What a reference means to Secret Manager. */
export interface GcpTarget {
  readonly reference: Reference;
  /** `projects/P` or `projects/P/locations/L`. */
  readonly parent: string;
  readonly secretId: string;
  /** `parent` and `secretId` as the API writes them. */
  readonly secret: string;
  /** Of a regional secret; it has its own endpoint. */
  readonly location: string | undefined;
  /** A number, an alias, `latest` or {@link latestEnabled}. */
  readonly version: string;
}

/** Our own word: the newest version that can be read, where `latest` may be a disabled one. */
export const latestEnabled = "latest-enabled";

const knownOptions = new Set(["version", "location"]);
const resourcePattern =
  /^projects\/([^/]+)(?:\/locations\/([^/]+))?\/secrets\/([^/]+)(?:\/versions\/([^/]+))?$/;
const patterns = {
  // Projects of an organisation may be called example.com:project.
  project: /^[a-z0-9][a-z0-9.:-]{0,99}$/,
  location: /^[a-z][a-z0-9-]{1,40}$/,
  secretId: /^[A-Za-z0-9_-]{1,255}$/,
  version: /^[A-Za-z0-9][\w-]{0,62}$/,
};

/**
 * Understands `gcp-sm://project/name[?version=&location=]`, `gcp-sm://name` where the adapter knows
 * the project, and the API's own `projects/P[/locations/L]/secrets/S[/versions/V]`.
 *
 * @throws SecretError `REFERENCE_INVALID`.
 */
export function gcpTarget(
  reference: Reference,
  defaults: { readonly project: string | undefined; readonly location: string | undefined },
): GcpTarget {
  for (const name of Object.keys(reference.options)) {
    if (!knownOptions.has(name))
      throw invalid(reference, "its options can be version and location");
  }
  const parts = partsOf(reference);
  const { project = defaults.project, location = defaults.location, version = "latest" } = parts;
  if (project === undefined) {
    throw invalid(reference, "it names no project; write gcp-sm://project/name");
  }
  const checked = { project, location, secretId: parts.secretId, version };
  for (const [part, pattern] of Object.entries(patterns)) {
    const value = checked[part as keyof typeof checked];
    if (value !== undefined && !pattern.test(value))
      throw invalid(reference, `its ${part} is none`);
  }
  const parent = `projects/${project}${location === undefined ? "" : `/locations/${location}`}`;
  const { secretId } = checked;
  const secret = `${parent}/secrets/${secretId}`;
  return { reference, parent, secretId, secret, location, version };
}

interface Parts {
  readonly project?: string | undefined;
  readonly location?: string | undefined;
  readonly secretId: string;
  readonly version?: string | undefined;
}

function partsOf(reference: Reference): Parts {
  const { path } = reference;
  const { version, location }: Partial<Reference["options"]> = reference.options;
  const resource = resourcePattern.exec(path);
  if (resource !== null) {
    const [, project, inLocation, secretId = "", inVersion] = resource;
    if ((version && inVersion) || (location && inLocation)) {
      throw invalid(reference, "version or location stand both in its path and in its options");
    }
    return {
      project,
      secretId,
      location: location ?? inLocation,
      version: version ?? inVersion,
    };
  }
  const [first = "", second, more] = path.split("/");
  if (more !== undefined) throw invalid(reference, "its form is gcp-sm://project/name");
  if (second === undefined) return { secretId: first, location, version };
  return { project: first, secretId: second, location, version };
}

/**
 * Refuses a reference to one version, where a secret as a whole is meant.
 *
 * @throws SecretError `REFERENCE_INVALID`.
 */
export function assertWhole({ reference, version }: GcpTarget): void {
  if (version === "latest" || version === latestEnabled) return;
  throw invalid(reference, "a change makes a new version; leave its version out");
}

function invalid({ text }: Reference, why: string): SecretError {
  return new SecretError("REFERENCE_INVALID", `${text} is not valid: ${why}`);
}
