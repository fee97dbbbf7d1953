import { defineMounts, type Mount, PathError } from "../../../src/paths/index.ts";
import { SecretError } from "../../../src/secrets/index.ts";
import type { LaunchClient } from "./client.ts";

/**
 * Checks the mounts and the folder of the code, before anything is sent.
 *
 * @throws SecretError `DECLARATION_INVALID`; PathError `MOUNT_*`.
 */
export function checkModalMounts(mounts: readonly Mount[], codeAt: string | undefined): void {
  for (const { mountPath, volume, bucket } of mounts) {
    if (volume !== undefined || bucket !== undefined) continue;
    throw new SecretError(
      "DECLARATION_INVALID",
      `the mount ${mountPath} declares only a local dir; Modal needs a volume or a bucket`,
    );
  }
  for (const { mountPath, bucket } of mounts) {
    if (bucket?.requesterPays !== true || bucket.secret !== undefined) continue;
    throw new SecretError(
      "DECLARATION_INVALID",
      `the mount ${mountPath}: a bucket with requesterPays needs the name of a secret`,
    );
  }
  if (codeAt === undefined) return;
  // The code goes where a mount could go: nowhere into the system, and into no mount.
  const spec = { readOnly: false, volume: "code" };
  const places = mounts.map(({ mountPath }, index) => [
    mountPath,
    { readOnly: false, volume: `volume-${index}` },
  ]);
  try {
    defineMounts({ [codeAt]: spec });
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    throw new SecretError("DECLARATION_INVALID", `code.to is no place for code: ${error.message}`);
  }
  try {
    defineMounts({ ...Object.fromEntries(places), [codeAt]: spec });
  } catch {
    throw new SecretError("DECLARATION_INVALID", "code.to lies inside or around a mount");
  }
}

/** What `sandboxes.create` takes for the mounts. */
export async function mountParams(
  client: LaunchClient,
  mounts: readonly Mount[],
  options: { readonly environment: string | undefined; readonly createIfMissing: boolean },
): Promise<{ volumes?: Record<string, unknown>; cloudBucketMounts?: Record<string, unknown> }> {
  const { createIfMissing } = options;
  const where = options.environment === undefined ? {} : { environment: options.environment };
  const volumes: Record<string, unknown> = {};
  const cloudBucketMounts: Record<string, unknown> = {};
  for (const { mountPath, readOnly, volume, subPath, bucket } of mounts) {
    if (volume !== undefined) {
      const found = await client.volumes.fromName(volume, { ...where, createIfMissing });
      volumes[mountPath] = found.withMountOptions({
        readOnly,
        ...(subPath !== undefined && { subPath }),
      });
    } else if (bucket !== undefined) {
      const { name, keyPrefix, endpointUrl, requesterPays, secret } = bucket;
      cloudBucketMounts[mountPath] = client.cloudBucketMounts.create(name, {
        readOnly,
        ...(secret !== undefined && { secret: await client.secrets.fromName(secret, where) }),
        ...(requesterPays !== undefined && { requesterPays }),
        ...(endpointUrl !== undefined && { bucketEndpointUrl: endpointUrl }),
        // A prefix without the slash would also reach data-old beside data.
        ...(keyPrefix !== undefined && { keyPrefix: `${keyPrefix}/` }),
      });
    }
  }
  return {
    ...(Object.keys(volumes).length > 0 && { volumes }),
    ...(Object.keys(cloudBucketMounts).length > 0 && { cloudBucketMounts }),
  };
}
