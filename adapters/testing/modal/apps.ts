import { randomBytes } from "node:crypto";
import { handler, RpcError, type ServicePart } from "./rpc.ts";

interface AppRequest {
  readonly appName: string;
  readonly objectCreationType: number;
}

/** Apps, and images that are taken to be built at once. */
export function createAppsPart(): ServicePart {
  const apps = new Map<string, string>();
  return {
    messages: `
message AppGetOrCreateRequest { string app_name = 1; string environment_name = 2; int32 object_creation_type = 3; }
message AppGetOrCreateResponse { string app_id = 1; }
message GenericResult { int32 status = 1; string exception = 2; int32 exitcode = 3; string traceback = 4; }
message BaseImage { string image_id = 1; string docker_tag = 2; }
message Image {
  repeated BaseImage base_images = 5;
  repeated string dockerfile_commands = 6;
  repeated string secret_ids = 12;
}
message ImageGetOrCreateRequest { Image image = 2; string app_id = 4; bool force_build = 7; string builder_version = 9; }
message ImageGetOrCreateResponse { string image_id = 1; GenericResult result = 2; }
message ImageFromIdRequest { string image_id = 1; }
message ImageFromIdResponse { string image_id = 1; }
`,
    calls: `
rpc AppGetOrCreate(AppGetOrCreateRequest) returns (AppGetOrCreateResponse);
rpc ImageGetOrCreate(ImageGetOrCreateRequest) returns (ImageGetOrCreateResponse);
rpc ImageFromId(ImageFromIdRequest) returns (ImageFromIdResponse);
`,
    handlers: {
      AppGetOrCreate: handler<AppRequest>(({ appName, objectCreationType }) => {
        const appId = apps.get(appName) ?? `ap-${randomBytes(11).toString("hex")}`;
        if (!apps.has(appName) && objectCreationType !== 1) {
          throw new RpcError("NOT_FOUND", `App '${appName}' not found`);
        }
        apps.set(appName, appId);
        return { appId };
      }),
      ImageGetOrCreate: () => ({
        imageId: `im-${randomBytes(11).toString("hex")}`,
        result: { status: 1 },
      }),
      ImageFromId: handler<{ imageId: string }>(({ imageId }) => ({ imageId })),
    },
  };
}
