import { createRequire } from "node:module";
import { SecretError } from "../../src/secrets/index.ts";

/** Turns the messages of one method into bytes and back. */
export interface Codec {
  decode(framedRequest: Buffer): object;
  decodeAnswer(message: Buffer): object;
  encode(answer: object): Buffer;
}

interface MethodDefinition {
  readonly requestDeserialize: (bytes: Buffer) => object;
  readonly responseDeserialize: (bytes: Buffer) => object;
  readonly responseSerialize: (value: object) => Buffer;
}

interface ProtoLoader {
  fromJSON(definitions: object, options: object): Readonly<Record<string, unknown>>;
}

const client = "@google-cloud/secret-manager";
const service = "google.cloud.secretmanager.v1.SecretManagerService";
const headBytes = 5;

/**
 * The codecs of all methods, from the protocol's definition in Google's own client. The loader of
 * the definition is a dependency of the client, and is taken from there to be of its version.
 *
 * @throws SecretError `PROVIDER_MISSING` without the client.
 */
export function loadCodecs(): ReadonlyMap<string, Codec> {
  const codecs = new Map<string, Codec>();
  for (const [name, definition] of Object.entries(loadDefinition())) {
    codecs.set(name, {
      decode: (framed) => definition.requestDeserialize(framed.subarray(headBytes)),
      decodeAnswer: (message) => definition.responseDeserialize(message),
      encode: (answer) => definition.responseSerialize(answer),
    });
  }
  return codecs;
}

function loadDefinition(): Readonly<Record<string, MethodDefinition>> {
  try {
    const fromHere = createRequire(import.meta.url);
    const fromClient = createRequire(fromHere.resolve(client));
    const fromGax = createRequire(fromClient.resolve("google-gax"));
    const loader: ProtoLoader = fromGax("@grpc/proto-loader");
    const json: object = fromHere(`${client}/build/protos/protos.json`);
    const options = { longs: String, enums: String, defaults: true, oneofs: true };
    const loaded = loader.fromJSON(json, options);
    return loaded[service] as Readonly<Record<string, MethodDefinition>>;
  } catch {
    throw new SecretError(
      "PROVIDER_MISSING",
      `startGcp needs Google's client for the definition of the protocol; run: npm install ${client}@6`,
    );
  }
}
