import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { handler, RpcError, type ServicePart } from "./rpc.ts";

/** Volumes: a folder of this machine for each. */
export interface Volumes {
  /** The folder of a volume, by its id. */
  dirOf(id: string): string;
  readonly part: ServicePart;
}

interface VolumeRequest {
  readonly deploymentName: string;
  readonly environmentName: string;
  readonly objectCreationType: number;
}

const createIfMissing = 1;
const ephemeral = 5;

/** @param scratch - Gives the folder that everything is below. */
export function createVolumes(scratch: () => string): Volumes {
  const named = new Map<string, string>();

  function create(): string {
    const id = `vo-${randomBytes(11).toString("hex")}`;
    mkdirSync(dirOf(id), { recursive: true });
    return id;
  }

  function dirOf(id: string): string {
    return join(scratch(), "volumes", id);
  }

  return {
    dirOf,
    part: {
      messages: `
message VolumeGetOrCreateRequest {
  string deployment_name = 1;
  string environment_name = 3;
  int32 object_creation_type = 4;
  string app_id = 5;
  int32 version = 6;
}
message VolumeMetadata { int32 version = 1; string name = 2; }
message VolumeGetOrCreateResponse { string volume_id = 1; int32 version = 2; VolumeMetadata metadata = 3; }
message VolumeDeleteRequest { string volume_id = 1; string environment_name = 2; }
message VolumeHeartbeatRequest { string volume_id = 1; }
`,
      calls: `
rpc VolumeGetOrCreate(VolumeGetOrCreateRequest) returns (VolumeGetOrCreateResponse);
rpc VolumeDelete(VolumeDeleteRequest) returns (Empty);
rpc VolumeHeartbeat(VolumeHeartbeatRequest) returns (Empty);
`,
      handlers: {
        VolumeGetOrCreate: handler<VolumeRequest>((request) => {
          const name = request.deploymentName;
          const key = `${request.environmentName}/${name}`;
          const metadata = { version: 2, name };
          if (request.objectCreationType === ephemeral) return { volumeId: create(), metadata };
          if (!named.has(key) && request.objectCreationType !== createIfMissing) {
            throw new RpcError("NOT_FOUND", `Volume '${name}' not found`);
          }
          const volumeId = named.get(key) ?? create();
          named.set(key, volumeId);
          return { volumeId, metadata };
        }),
        VolumeDelete: handler<{ volumeId: string }>(({ volumeId }) => {
          for (const [key, id] of named) if (id === volumeId) named.delete(key);
          return {};
        }),
        VolumeHeartbeat: () => ({}),
      },
    },
  };
}
