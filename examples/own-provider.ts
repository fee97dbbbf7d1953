// A provider for a store that nopeek does not know: here a vault that lives in memory.
import { randomBytes } from "node:crypto";
import { createSecrets, type SecretProvider } from "nopeek";

const stored = new Map([
  ["team/db", JSON.stringify({ password: randomBytes(18).toString("hex") })],
]);

const vault: SecretProvider = {
  name: "vault",
  schemes: ["vault"],
  capabilities: ["read"],
  // One call for many references; null says "does not exist", everything else is an error.
  read: async (references) =>
    references.map(({ path }) => {
      const value = stored.get(path);
      return value === undefined ? null : { value, version: "1" };
    }),
};

await using secrets = createSecrets({ providers: [vault] });
const password = await secrets.get("vault://team/db#password", { name: "DB_PASSWORD" });
console.log(`connecting with ${password}`); // prints the mask
console.log(`${password.reveal().length} characters when revealed`);
console.log("missing:", await secrets.find("vault://team/none"));
