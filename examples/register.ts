// One import masks what the process prints: console, streams, loggers, warnings, fatal errors.
import "nopeek/register";
import { randomBytes } from "node:crypto";
import { Secret } from "nopeek";

// A variable with the name of a credential is masked from the moment it is set.
process.env["HF_TOKEN"] = `hf_${randomBytes(24).toString("hex")}`;
console.log("token is", process.env["HF_TOKEN"]);

// As is every secret that the process makes or resolves, in every encoding and over several writes.
const key = new Secret(randomBytes(24).toString("hex"), { name: "DEPLOY_KEY" }).reveal();
console.log({ basic: Buffer.from(`ci:${key}`).toString("base64") });
process.stdout.write(key.slice(0, 20));
process.stdout.write(`${key.slice(20)}\n`);
