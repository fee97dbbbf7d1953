import { handler, RpcError, type ServicePart } from "./rpc.ts";

/** The environments of the workspace. The first is the default one. */
export interface Environments {
  /**
   * The full name of an environment; empty means the default one.
   *
   * @throws RpcError `NOT_FOUND`.
   */
  nameOf(given: string): string;
  readonly part: ServicePart;
}

export function createEnvironments(names: readonly string[]): Environments {
  const nameOf = (given: string): string => {
    const name = given === "" ? names[0] : given;
    if (name !== undefined && names.includes(name)) return name;
    throw new RpcError("NOT_FOUND", `Environment '${given}' not found.`);
  };
  return {
    nameOf,
    part: {
      messages: `
message EnvironmentGetOrCreateRequest { string deployment_name = 1; int32 object_creation_type = 2; }
message EnvironmentSettings { string image_builder_version = 1; string webhook_suffix = 2; }
message EnvironmentMetadata { string name = 1; EnvironmentSettings settings = 2; }
message EnvironmentGetOrCreateResponse { string environment_id = 1; EnvironmentMetadata metadata = 2; }
`,
      calls:
        "rpc EnvironmentGetOrCreate(EnvironmentGetOrCreateRequest) returns (EnvironmentGetOrCreateResponse);",
      handlers: {
        EnvironmentGetOrCreate: handler<{ deploymentName: string }>(({ deploymentName }) => {
          const name = nameOf(deploymentName);
          return {
            environmentId: `en-${name}`,
            metadata: { name, settings: { imageBuilderVersion: "2025.06", webhookSuffix: "" } },
          };
        }),
      },
    },
  };
}
