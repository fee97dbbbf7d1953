/**
 * The protocol of the test server, and with it what the adapter sends through the client's
 * internals, against the code in the installed client.
 */
import protobuf from "protobufjs";
import { beforeAll, expect, it } from "vitest";
import { creation } from "../../../adapters/modal/internal-rpc.ts";
import { createAppsPart } from "../../../adapters/testing/modal/apps.ts";
import { createGate } from "../../../adapters/testing/modal/auth.ts";
import { createContainers } from "../../../adapters/testing/modal/containers.ts";
import { createEnvironments } from "../../../adapters/testing/modal/environments.ts";
import { protocolTexts } from "../../../adapters/testing/modal/protocol.ts";
import { createRouterPart } from "../../../adapters/testing/modal/router.ts";
import { type ServiceName, services } from "../../../adapters/testing/modal/rpc.ts";
import { createSandboxesPart } from "../../../adapters/testing/modal/sandboxes.ts";
import { createSecretStore } from "../../../adapters/testing/modal/secrets.ts";
import { createVolumes } from "../../../adapters/testing/modal/volumes.ts";
import { clientCodec } from "./codec.ts";

const environments = createEnvironments(["main"]);
const store = createSecretStore(environments);
const nowhere = () => "/nonexistent";
const volumes = createVolumes(nowhere);
const containers = createContainers(nowhere, store, volumes);
const root = new protobuf.Root();
for (const text of protocolTexts([
  createGate().part,
  environments.part,
  store.part,
  createAppsPart(),
  volumes.part,
  createSandboxesPart(containers, () => ({ jwt: "", url: "" })),
  createRouterPart(containers),
])) {
  protobuf.parse(text, root);
}
root.resolveAll();
const serviceOf = (name: ServiceName) => root.lookupService(`${services[name]}.${name}`);
const names = Object.keys(services) as ServiceName[];
const types = names
  .flatMap((name) => typesOf(serviceOf(name).parent?.nestedArray ?? []))
  .filter(({ name, fieldsArray }) => name !== "Empty" && fieldsArray.length > 0);

let codec: Awaited<ReturnType<typeof clientCodec>>;
beforeAll(async () => {
  codec = await clientCodec();
});

it.each(names)("serves calls that the client has of %s", (name) => {
  const definition = codec[`${name}Definition`];
  expect(definition).toMatchObject({ fullName: `${services[name]}.${name}` });
  const known = Object.values(definition?.methods ?? {});
  for (const method of serviceOf(name).methodsArray) {
    expect(known.find((one) => one.name === method.name)).toMatchObject({
      name: method.name,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
    });
  }
});

it.each(types.map((type) => [nameOf(type), type] as const))("%s has its fields", (name, type) => {
  for (const field of type.fieldsArray) {
    const value = sampleOf(field);
    const wire = type.encode(type.create({ [field.name]: value })).finish();
    const decoded = codec[name]?.decode(wire) ?? {};
    // The client may know more fields of a message within.
    expect(plain({ it: decoded[field.name] }), field.name).toMatchObject(plain({ it: value }));
    // Back: the client's own bytes mean the same here.
    const back = type.decode(codec[name]?.encode(decoded).finish() ?? new Uint8Array());
    expect(plain({ it: type.toObject(back, { longs: Number })[field.name] })).toEqual(
      plain({ it: value }),
    );
  }
});

it("fails for a field with another number", () => {
  const wrong = protobuf.parse(
    'syntax = "proto3"; message SecretDeleteRequest { string secret_id = 2; }',
  );
  const type = wrong.root.lookupType("SecretDeleteRequest");
  const wire = type.encode(type.create({ secretId: "st-1" })).finish();
  expect(codec["SecretDeleteRequest"]?.decode(wire)["secretId"]).not.toBe("st-1");
});

it("means by its numbers for creation what the client means", () => {
  const meant = Object.entries(creation).map(([word, objectCreationType]) => {
    const json = codec["SecretGetOrCreateRequest"]?.toJSON({ objectCreationType, envDict: {} });
    return [word, json?.["objectCreationType"] ?? "OBJECT_CREATION_TYPE_UNSPECIFIED"];
  });
  expect(Object.fromEntries(meant)).toEqual({
    lookup: "OBJECT_CREATION_TYPE_UNSPECIFIED",
    failIfExists: "OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS",
    overwrite: "OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS",
  });
});

function typesOf(nested: protobuf.ReflectionObject[]): protobuf.Type[] {
  return nested.flatMap((one) =>
    one instanceof protobuf.Type ? [one, ...typesOf(one.nestedArray)] : [],
  );
}

/** Generated code joins the names of nested messages. */
function nameOf(type: protobuf.Type): string {
  return type.parent instanceof protobuf.Type ? `${nameOf(type.parent)}_${type.name}` : type.name;
}

function sampleOf(field: protobuf.Field): unknown {
  const { resolvedType } = field.resolve();
  const samples: Record<string, unknown> = {
    ...{ string: `text ${field.id}`, bytes: Buffer.from([1, 2]), bool: true },
    ...{ double: 1.5, float: 1.5, int32: 1, uint32: 7, uint64: 7 },
  };
  if (field.map) return { KEY: samples[field.type] };
  const one =
    resolvedType instanceof protobuf.Type ? sampleMessage(resolvedType) : samples[field.type];
  return field.repeated ? [one] : one;
}

function sampleMessage(type: protobuf.Type): Record<string, unknown> {
  return Object.fromEntries(type.fieldsArray.map((field) => [field.name, sampleOf(field)]));
}

/** Without prototypes and unset fields, and with bytes as text. */
function plain(value: object): object {
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, given) {
    const one = this[key];
    return one instanceof Uint8Array ? Buffer.from(one).toString("hex") : given;
  });
  return JSON.parse(text);
}
