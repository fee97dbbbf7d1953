/** A certificate for this machine, signed by itself, in the few lines of DER that it takes. */
import { generateKeyPairSync, sign } from "node:crypto";

function der(tag: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
/** 1.2.840.10045.4.3.2, ecdsa-with-SHA256. */
const algorithm = sequence(der(6, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
/** 2.5.4.3, the common name. */
const name = sequence(der(0x31, sequence(der(6, [0x55, 4, 3]), der(12, Buffer.from("localhost")))));

/** Key and certificate in PEM, for `localhost`, valid until 2049. */
export function selfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const times = ["200101000000Z", "491231235959Z"].map((time) => der(0x17, Buffer.from(time)));
  const content = sequence(
    der(2, [1]),
    algorithm,
    name,
    sequence(...times),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = sign("sha256", content, privateKey);
  const bytes = sequence(content, algorithm, der(3, [0], signature));
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n"),
  };
}
