import type { ServicePart } from "./rpc.ts";

/** Writes and reads the messages of one call. */
export interface Codec {
  readonly responseStream: boolean;
  decodeRequest(bytes: Uint8Array): Record<string, unknown>;
  encodeResponse(message: Record<string, unknown>): Uint8Array;
}

const packageName = "modal.client";
const serviceName = "ModalClient";

const shared = `
message Empty {}
`;

/** The whole protocol as one text in the protobuf language. */
export function protocolText(parts: readonly ServicePart[]): string {
  return [
    'syntax = "proto3";',
    `package ${packageName};`,
    shared,
    ...parts.map(({ messages }) => messages),
    `service ${serviceName} {`,
    ...parts.map(({ calls }) => calls),
    "}",
  ].join("\n");
}

/**
 * Loads protobufjs and makes a codec for every call, by its path on the wire.
 *
 * @throws Error that names the install command if protobufjs is missing.
 */
export async function loadCodecs(
  parts: readonly ServicePart[],
): Promise<ReadonlyMap<string, Codec>> {
  const { default: protobuf } = await import("protobufjs").catch(() => {
    throw new Error("the Modal test server needs protobufjs; run: npm install -D protobufjs@7");
  });
  const { root } = protobuf.parse(protocolText(parts));
  root.resolveAll();
  const codecs = new Map<string, Codec>();
  for (const method of root.lookupService(`${packageName}.${serviceName}`).methodsArray) {
    const { resolvedRequestType, resolvedResponseType } = method;
    if (resolvedRequestType === null || resolvedResponseType === null) {
      throw new Error(`the protocol does not define the messages of ${method.name}`);
    }
    codecs.set(`/${packageName}.${serviceName}/${method.name}`, {
      responseStream: method.responseStream === true,
      decodeRequest: (bytes) =>
        resolvedRequestType.toObject(resolvedRequestType.decode(bytes), {
          defaults: true,
          longs: Number,
          enums: Number,
        }),
      encodeResponse: (message) =>
        resolvedResponseType.encode(resolvedResponseType.fromObject(message)).finish(),
    });
  }
  return codecs;
}
