// Reads and writes values while Google's own logging is switched on.
import { createSecrets, parseReference } from "nopeek";
import { gcp } from "nopeek/adapters/gcp";

const [, , text] = process.argv;
const provider = gcp();
const secrets = createSecrets({ providers: [provider] });
const value = (await secrets.get(text)).reveal();
const change = { mode: "replace", value: `${value}${value}` };
await provider.write(parseReference(text), change, { signal: new AbortController().signal });
await secrets.close();
