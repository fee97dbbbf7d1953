import fc from "fast-check";
import { parseReference, SecretError } from "nopeek";
import { expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

it.each([
  ["env://HF_TOKEN", ["env", "HF_TOKEN", {}, undefined]],
  ["dotenv://deploy/.env#KEY", ["dotenv", "deploy/.env", {}, "KEY"]],
  ["dotenv:///abs/.env#KEY", ["dotenv", "/abs/.env", {}, "KEY"]],
  ["aws-sm://ml/hf#token", ["aws-sm", "ml/hf", {}, "token"]],
  [
    "aws-sm://ml/hf?stage=AWSPREVIOUS&region=eu-west-1#/a/b~1c",
    ["aws-sm", "ml/hf", { stage: "AWSPREVIOUS", region: "eu-west-1" }, "/a/b~1c"],
  ],
  [
    "aws-sm://arn:aws:secretsmanager:us-east-1:123456789012:secret:a@b-AbCdEf#k",
    ["aws-sm", "arn:aws:secretsmanager:us-east-1:123456789012:secret:a@b-AbCdEf", {}, "k"],
  ],
  ["aws-sm://rds!cluster-1@x", ["aws-sm", "rds!cluster-1@x", {}, undefined]],
  ["gcp-sm://proj/name?version=3", ["gcp-sm", "proj/name", { version: "3" }, undefined]],
  ["modal://prod/hf#HF_TOKEN", ["modal", "prod/hf", {}, "HF_TOKEN"]],
])("reads %s", (text, [scheme, path, options, field]) => {
  const reference = parseReference(text);
  expect(reference).toMatchObject({ scheme, path, field, text });
  expect({ ...reference.options }).toEqual(options);
});

it.each([
  ["HF_TOKEN", "scheme://path"],
  ["://x", "scheme://path"],
  ["Env://X", "scheme://path"],
  ["env://", "nothing follows its ://"],
  ["env://A#", "nothing follows its #"],
  ["aws-sm://a#f?stage=X", "options come before the field"],
  ["aws-sm://a?stage", "?name=value"],
  ["aws-sm://a?stage=", "?name=value"],
  ["aws-sm://a?stage=X&stage=Y", 'option "stage" stands twice'],
  ["aws-sm://user:pass@host/x", "user:password@"],
  ["env://A\nB", "control character"],
  [`env://${"a".repeat(3000)}`, "longer than"],
])("refuses %j", (text, message) => {
  expect(() => parseReference(text)).toThrow(message);
});

it("never quotes what it refuses, and never throws anything else", () => {
  const secret = randomToken();
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(40), (noise, at) => {
      const text = noise.slice(0, at) + secret + noise.slice(at);
      try {
        parseReference(text);
      } catch (error) {
        expect(error).toBeInstanceOf(SecretError);
        expect(String((error as Error).stack)).not.toContain(secret);
      }
    }),
  );
});
