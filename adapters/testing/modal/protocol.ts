import { type Message, type ServiceName, type ServicePart, services } from "./rpc.ts";

/** Writes and reads the messages of one call. */
export interface Codec {
  readonly service: ServiceName;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  decodeRequest(bytes: Uint8Array): Message;
  encodeResponse(message: Message): Uint8Array;
}

/**
 * The protocol as texts in the protobuf language, one for each service that the parts belong to. The
 * later ones use messages of the earlier ones.
 */
export function protocolTexts(parts: readonly ServicePart[]): string[] {
  return serviceNames.flatMap((service) => {
    const own = parts.filter((part) => (part.service ?? "ModalClient") === service);
    if (own.length === 0) return [];
    const lines = [
      'syntax = "proto3";',
      `package ${services[service]};`,
      "message Empty {}",
      ...own.map(({ messages }) => messages),
      `service ${service} {`,
      ...own.map(({ calls }) => calls),
      "}",
    ];
    return [lines.join("\n")];
  });
}

const serviceNames = Object.keys(services) as ServiceName[];

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
  const root = new protobuf.Root();
  for (const text of protocolTexts(parts)) protobuf.parse(text, root);
  root.resolveAll();
  const codecs = new Map<string, Codec>();
  for (const service of serviceNames) {
    if (!parts.some((part) => (part.service ?? "ModalClient") === service)) continue;
    const path = `${services[service]}.${service}`;
    for (const method of root.lookupService(path).methodsArray) {
      const { resolvedRequestType: request, resolvedResponseType: response } = method;
      if (request === null || response === null) {
        throw new Error(`the protocol does not define the messages of ${method.name}`);
      }
      codecs.set(`/${path}/${method.name}`, {
        service,
        requestStream: method.requestStream === true,
        responseStream: method.responseStream === true,
        decodeRequest: (bytes) =>
          request.toObject(request.decode(bytes), { defaults: true, longs: Number, enums: Number }),
        encodeResponse: (message) => response.encode(response.fromObject(message)).finish(),
      });
    }
  }
  return codecs;
}
