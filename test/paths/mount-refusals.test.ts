import { defineMounts, type MountPolicy, type MountSpec, PathError } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import { codeOf } from "../support/scratch.ts";

/** Anything that JavaScript lets through. */
type Loose = Readonly<Record<string, unknown>>;

const volume: MountSpec = { volume: "datasets", readOnly: true };
const at = (path: string): Loose => ({ [path]: volume });
const withOption = (options: Loose): Loose => ({ "/data": { ...volume, ...options } });
const declare = (spec: Loose, policy?: MountPolicy) =>
  defineMounts(spec as Record<string, MountSpec>, policy);

function refusalOf(spec: Loose, policy?: MountPolicy): { code: string; message: string } {
  try {
    declare(spec, policy);
    return { code: "none", message: "" };
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    return { code: error.code, message: error.message };
  }
}

const deep = `/${"a/".repeat(16)}a`;

/** Code, what the message says beside the mount, the mounts, and the policy. */
type Row = readonly [code: string, why: string, spec: Loose, policy?: MountPolicy];

const refusals: readonly Row[] = [
  // The form of the path
  ["MOUNT_NOT_CANONICAL", "absolute", at("data")],
  ["MOUNT_NOT_CANONICAL", "absolute", at("./data")],
  ["MOUNT_NOT_CANONICAL", "absolute", at("")],
  ["MOUNT_NOT_CANONICAL", "shortest form", at("/data/")],
  ["MOUNT_NOT_CANONICAL", "shortest form", at("//data")],
  ["MOUNT_NOT_CANONICAL", "shortest form", at("/data//x")],
  ["MOUNT_NOT_CANONICAL", "shortest form", at("/data/./x")],
  ["MOUNT_NOT_CANONICAL", "shortest form", at("/data/../etc")],
  ["MOUNT_NOT_CANONICAL", "shortest form", at("/..")],
  ["MOUNT_INVALID", "may only hold", at("/da ta")],
  ["MOUNT_INVALID", "may only hold", at("/da:ta")],
  ["MOUNT_INVALID", "may only hold", at("/da,ta")],
  ["MOUNT_INVALID", "may only hold", at("/da\\ta")],
  ["MOUNT_INVALID", "may only hold", at("/%2e%2e/etc")],
  ["MOUNT_INVALID", "may only hold", at("/$HOME")],
  ["MOUNT_INVALID", "may only hold", at("/~root")],
  ["MOUNT_INVALID", "may only hold", at("/dätä")],
  ["MOUNT_INVALID", "may only hold", at("/ｄata")],
  ["MOUNT_INVALID", "may only hold", at("/data\n")],
  ["MOUNT_INVALID", "may only hold", at("/data\0")],
  ["MOUNT_INVALID", "may only hold", at("/...")],
  ["MOUNT_INVALID", "may only hold", at("/data.")],
  ["MOUNT_INVALID", "may only hold", at("/-rf")],
  ["MOUNT_INVALID", "too deep", at(deep)],
  ["MOUNT_INVALID", "too long", at(`/${"a".repeat(1100)}`)],
  // Reserved
  ["MOUNT_RESERVED", "root of the container", at("/")],
  ...["/root", "/tmp", "/home", "/var", "/opt", "/Root", "/TMP"].map(
    (path) => ["MOUNT_RESERVED", "is reserved", at(path)] as const,
  ),
  ...["/proc", "/sys/fs", "/dev/shm", "/etc/ssl", "/usr/lib", "/bin", "/lib64", "/run/x"].map(
    (path) => ["MOUNT_RESERVED", "belongs to the system", at(path)] as const,
  ),
  ...["/root/.ssh", "/root/.aws/x", "/root/.modal.toml", "/ETC", "/Usr/local"].map(
    (path) => ["MOUNT_RESERVED", "belongs to the system", at(path)] as const,
  ),
  ["MOUNT_RESERVED", "belongs to the runtime", at("/__modal")],
  ["MOUNT_RESERVED", "belongs to the runtime", at("/pkg/x")],
  ["MOUNT_RESERVED", "belongs to the runtime", at("/pkg"), { allowReserved: ["/pkg"] }],
  ["MOUNT_RESERVED", "is reserved", at("/tmp"), { allowReserved: ["/root"] }],
  ["MOUNT_UNDECLARED", "/data, /mnt", at("/out"), { within: ["/data", "/mnt"] }],
  ["MOUNT_UNDECLARED", "/data", at("/data-evil"), { within: ["/data"] }],
  ["MOUNT_UNDECLARED", "no tree", at("/data"), { within: [] }],
  // Options
  ["MOUNT_INVALID", "must be an object", { "/data": null }],
  ["MOUNT_INVALID", "must be an object", { "/data": "datasets" }],
  ["MOUNT_INVALID", "must be an object", { "/data": [volume] }],
  ["MOUNT_INVALID", "readOnly", { "/data": { volume: "datasets" } }],
  ["MOUNT_INVALID", "readOnly", withOption({ readOnly: "false" })],
  ["MOUNT_INVALID", "readOnly", withOption({ readOnly: 0 })],
  ["MOUNT_INVALID", "readonly", withOption({ readonly: true })],
  ["MOUNT_INVALID", "read_only", withOption({ read_only: true })],
  ["MOUNT_INVALID", "subpath", withOption({ subpath: "x" })],
  ["MOUNT_INVALID", "unknown option", withOption({ [Symbol.iterator]: 1 } as unknown as Loose)],
  ["MOUNT_INVALID", "declare a source", { "/data": { readOnly: true } }],
  ["MOUNT_INVALID", "volume", withOption({ volume: "" })],
  ["MOUNT_INVALID", "volume", withOption({ volume: "../x" })],
  ["MOUNT_INVALID", "volume", withOption({ volume: "x".repeat(65) })],
  ["MOUNT_INVALID", "exclude each other", withOption({ bucket: { name: "ml-data" } })],
  // subPath
  ["MOUNT_INVALID", "subPath needs", { "/data": { readOnly: true, dir: "/srv", subPath: "x" } }],
  ["MOUNT_INVALID", "subPath must be text", withOption({ subPath: 1 })],
  ["MOUNT_INVALID", "leave it out", withOption({ subPath: "" })],
  ["MOUNT_INVALID", "leave it out", withOption({ subPath: "/" })],
  ["MOUNT_NOT_CANONICAL", "plain path", withOption({ subPath: ".." })],
  ["MOUNT_NOT_CANONICAL", "plain path", withOption({ subPath: "a/../../b" })],
  ["MOUNT_NOT_CANONICAL", "plain path", withOption({ subPath: "//users" })],
  ["MOUNT_NOT_CANONICAL", "plain path", withOption({ subPath: "%2e%2e/x" })],
  ["MOUNT_NOT_CANONICAL", "shortest form", withOption({ subPath: "a//b" })],
  ["MOUNT_NOT_CANONICAL", "shortest form", withOption({ subPath: "./a" })],
  ["MOUNT_INVALID", "plain path", withOption({ subPath: "a\0b" })],
  // env
  ["MOUNT_INVALID", "name of a variable", withOption({ env: "DATA-DIR" })],
  ["MOUNT_INVALID", "name of a variable", withOption({ env: "" })],
  ["MOUNT_INVALID", "name of a variable", withOption({ env: 7 })],
  ...["NOPEEK_X", "LD_PRELOAD", "PATH", "NODE_OPTIONS", "PYTHONPATH"].map(
    (env) => ["MOUNT_INVALID", "programs act on", withOption({ env })] as const,
  ),
  // dir
  ["MOUNT_INVALID", "absolute", withOption({ dir: "data" })],
  ["MOUNT_INVALID", "dir must be", withOption({ dir: "" })],
  ["MOUNT_INVALID", "dir must be", withOption({ dir: "/srv/\0" })],
  ["MOUNT_RESERVED", "whole file system", withOption({ dir: "/" })],
  ["MOUNT_RESERVED", "whole file system", withOption({ dir: ".." }), { base: "/srv" }],
  // bucket
  ...[
    ["needs a name", {}],
    ["needs a name", { name: "a/b" }],
    ["unknown option", { name: "ml-data", key: "x" }],
    ["https", { name: "ml-data", endpointUrl: "http://store.example" }],
    ["https", { name: "ml-data", endpointUrl: "https://user:pass@store.example" }],
    ["https", { name: "ml-data", endpointUrl: "https://store.example/?token=x" }],
    ["requesterPays", { name: "ml-data", requesterPays: "no" }],
    ["name of a secret", { name: "ml-data", secret: "a b" }],
  ].map(
    ([why, bucket]) =>
      ["MOUNT_INVALID", why as string, { "/data": { readOnly: true, bucket } }] as const,
  ),
  [
    "MOUNT_NOT_CANONICAL",
    "keyPrefix",
    { "/data": { readOnly: true, bucket: { name: "ml-data", keyPrefix: "../x" } } },
  ],
];

const other: MountSpec = { volume: "other", readOnly: true };

/** Two mounts that do not go together; the message names both. */
const clashes: readonly Row[] = [
  ["MOUNT_DUPLICATE", "apart from capitals", { "/data": volume, "/Data": other }],
  [
    "MOUNT_DUPLICATE",
    "same variable",
    { "/data": { ...volume, env: "DIR" }, "/x": { ...other, env: "DIR" } },
  ],
  ["MOUNT_OVERLAP", "inside", { "/data": volume, "/data/x": other }],
  ["MOUNT_OVERLAP", "inside", { "/data/x": volume, "/data": other }],
  ["MOUNT_OVERLAP", "inside", { "/data": volume, "/DATA/x": other }],
  ["MOUNT_SOURCE_REUSED", "volume", { "/data": volume, "/x": { ...volume, readOnly: false } }],
  [
    "MOUNT_SOURCE_REUSED",
    "volume",
    { "/data": { ...volume, subPath: "a" }, "/x": { ...volume, subPath: "b" } },
  ],
  [
    "MOUNT_SOURCE_REUSED",
    "dir",
    {
      "/data": { dir: "/srv/data", readOnly: true },
      "/x": { dir: "/srv/data/out", readOnly: false },
    },
  ],
  [
    "MOUNT_SOURCE_REUSED",
    "bucket",
    {
      "/data": { bucket: { name: "ml-data" }, readOnly: true },
      "/x": { bucket: { name: "ml-data", keyPrefix: "out" }, readOnly: false },
    },
  ],
];

const named = ([code, why, spec, policy]: Row) => ({ code, why, spec, policy });

describe("a mount", () => {
  it.each(refusals.map(named))(
    "is refused with $code ($why): $spec",
    ({ code, why, spec, policy }) => {
      const refusal = refusalOf(spec, policy);
      expect(refusal.code).toBe(code);
      expect(refusal.message).toContain(why);
      const [path = ""] = Object.keys(spec);
      // Which mount: quoted, escaped, and cut where it is long.
      expect(refusal.message.startsWith(`mount "${/^[/\w.]{0,9}/.exec(path)?.[0]}`)).toBe(true);
      expect(refusal.message).toMatch(/^[\x20-\x7e]+$/);
    },
  );

  it.each(clashes.map(named))(
    "is refused with $code ($why): $spec",
    ({ code, why, spec, policy }) => {
      const refusal = refusalOf(spec, policy);
      expect(refusal.code).toBe(code);
      expect(refusal.message).toContain(why);
      for (const path of Object.keys(spec)) expect(refusal.message).toContain(path);
    },
  );

  it("is accepted where it is documented", () => {
    for (const path of [
      "/mnt",
      "/root/foo",
      "/data",
      "/tmp/x",
      "/home/ada",
      "/workspace",
      "/a.b",
    ]) {
      expect(refusalOf(at(path)).code).toBe("none");
    }
    expect(refusalOf(at("/tmp"), { allowReserved: ["/tmp"] }).code).toBe("none");
    expect(refusalOf(at("/mnt/x"), { within: ["/mnt"] }).code).toBe("none");
    expect(refusalOf({ "/data": volume, "/data/x": other }, { nested: "allow" }).code).toBe("none");
    expect(refusalOf({ "/data": volume, "/data2": other }).code).toBe("none");
    const bucket = { name: "ml-data" };
    expect(
      refusalOf({ "/a": { bucket, readOnly: true }, "/b": { bucket, readOnly: true } }).code,
    ).toBe("none");
    expect(
      refusalOf({
        "/a": { bucket: { ...bucket, keyPrefix: "in" }, readOnly: true },
        "/b": { bucket: { ...bucket, keyPrefix: "out" }, readOnly: false },
      }).code,
    ).toBe("none");
  });

  it("quotes no value of an option", () => {
    const pasted = "hf_pastedInTheWrongPlace";
    for (const options of [
      { env: `${pasted}!` },
      { volume: `${pasted}/` },
      { dir: pasted },
      { subPath: `../${pasted}` },
      { readOnly: pasted },
      { [`${pasted} x`]: 1 },
    ]) {
      const { code, message } = refusalOf(withOption(options as Loose));
      expect(code).not.toBe("none");
      expect(message).not.toContain(pasted);
    }
  });

  it("is read once", () => {
    let reads = 0;
    const shifty = {
      volume: "datasets",
      get readOnly() {
        reads++;
        return reads === 1;
      },
    };
    const mounts = defineMounts({ "/data": shifty });
    expect(mounts.get("/data").readOnly).toBe(true);
    expect(reads).toBe(1);
  });

  it("does not take options from a prototype", () => {
    const inherited = Object.create({ readOnly: false }) as MountSpec;
    expect(refusalOf({ "/data": inherited }).code).toBe("MOUNT_INVALID");
    expect(refusalOf(JSON.parse('{"__proto__": {"volume": "x", "readOnly": true}}')).code).toBe(
      "MOUNT_NOT_CANONICAL",
    );
  });

  it("is refused with an unknown policy", () => {
    for (const policy of [
      { allow: ["/data"] },
      { within: "/data" },
      { within: ["data"] },
      { nested: true },
      { base: "relative" },
    ]) {
      expect(codeOf(() => declare(at("/data"), policy as MountPolicy))).toMatch(
        /^(PATH_OPTION_INVALID|MOUNT_NOT_CANONICAL)$/,
      );
    }
    expect(codeOf(() => declare([] as unknown as Loose))).toBe("MOUNT_INVALID");
    expect(codeOf(() => declare(null as unknown as Loose))).toBe("MOUNT_INVALID");
  });
});
