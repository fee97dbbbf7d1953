import { Secret } from "nopeek";
import { needlesOf } from "nopeek/detect";
import { describe, expect, it } from "vitest";
import { privateKeyPem, randomToken } from "../support/values.ts";

const texts = (value: string | Uint8Array) =>
  needlesOf(new Secret(value)).map(({ bytes }) => bytes.toString());
const strengths = (value: string) =>
  new Map(needlesOf(new Secret(value)).map(({ bytes, strong }) => [bytes.toString(), strong]));

it("calls the whole of a long and varied value strong, in every encoding", () => {
  const value = randomToken();
  expect(needlesOf(new Secret(value)).every(({ strong }) => strong)).toBe(true);
  expect(strengths("abcabcabcabcabc").get("abcabcabcabcabc")).toBe(false);
  expect(strengths("s3cret-pw").get("s3cret-pw")).toBe(false);
});

it("calls lines weak, and PEM armour no form", () => {
  const pem = privateKeyPem();
  const found = strengths(pem);
  const [armour = "", line = ""] = pem.split("\n");
  expect(found.get(pem)).toBe(true);
  expect(found.get(line)).toBe(false);
  expect(found.has(armour)).toBe(false);
});

it("knows the leaves of a service account file that are secret, and no others", () => {
  const key = privateKeyPem();
  const id = randomToken("", 40);
  const account = {
    type: "service_account",
    project_id: "training-project-1",
    private_key_id: id,
    private_key: key,
    client_email: "trainer@training-project-1.iam",
    auth_uri: "https://accounts.example/o/oauth2/auth",
    universe: "true",
    retries: 12345678,
  };
  const found = strengths(JSON.stringify(account));
  expect(found.get(id)).toBe(false);
  expect(found.get(key)).toBe(false);
  expect(found.get(JSON.stringify(key).slice(1, -1))).toBe(false);
  expect(found.get(key.split("\n")[2] ?? "")).toBe(false);
  for (const plain of [
    account.type,
    account.project_id,
    account.client_email,
    account.auth_uri,
    "12345678",
  ]) {
    expect(found.has(plain)).toBe(false);
  }
});

it("knows the password of a URL, as written and decoded", () => {
  const found = texts("postgres://ml:p%40ss-w0rd%2F9@db/ml");
  expect(found).toContain("p%40ss-w0rd%2F9");
  expect(found).toContain("p@ss-w0rd/9");
  expect(found).not.toContain("ml");
});

it("drops what would mask ordinary text", () => {
  expect(texts("abc")).toEqual([]);
  expect(texts("    ")).toEqual([]);
  expect(texts("test1")).toEqual(["test1"]);
  expect(texts('{"a":{"b":"x"},"c":["true","us-east-1"]}').every((text) => text.length > 8)).toBe(
    true,
  );
});

it("has forms of bytes that are no text", () => {
  const found = texts(Uint8Array.from([0xff, 0, 0x80, 1, 2, 3, 4, 5]));
  expect(found).toContain("ff00800102030405");
  expect(found).toContain("/wCAAQIDBA");
  expect(found).toContain("\\xff\\x00\\x80\\x01\\x02\\x03\\x04\\x05");
});

it("knows fewer forms of a value above 64 KiB, and takes none above 1 MiB", () => {
  const large = randomToken("", 1000).repeat(100);
  expect(new Set(needlesOf(new Secret(large)).map(({ form }) => form))).toEqual(
    new Set(["raw", "base64"]),
  );
  expect(() => new Secret("x".repeat(1_048_577), { name: "BIG" })).toThrow("BIG has 1048577 bytes");
});

describe("a value that is percent-encoded twice by the same encoder", () => {
  const value = `it's (a) [b] *${randomToken()}*! :/?#@+%€~`;
  const encoders: Record<string, (text: string) => string> = {
    encodeURIComponent,
    encodeURI,
    escape: (text) => (globalThis as unknown as { escape(text: string): string }).escape(text),
    URLSearchParams: (text) => new URLSearchParams({ "": text }).toString().slice(1),
    lowerCase: (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  };

  it.each(Object.entries(encoders))("is one of its forms: %s", (name, encode) => {
    // What escape() makes of text beyond Latin-1 is no percent-encoding of bytes.
    const known = name === "escape" ? value.replace("€", "") : value;
    const found = texts(known);
    expect(found).toContain(encode(known));
    expect(encode(encode(known))).not.toBe(encode(known));
    expect(found).toContain(encode(encode(known)));
  });

  it("has few forms, and none more where nothing is encoded", () => {
    const percentForms = (value: string) =>
      needlesOf(new Secret(value)).filter(({ form }) => form === "percent").length;
    // Eight encoders in two cases and with `+`, six of them twice, base64 in a query.
    expect(percentForms(value)).toBeLessThanOrEqual(8 * 4 + 6 * 4 + 8);
    expect(percentForms(randomToken())).toBeLessThan(6);
  });
});
