// Imports every door that could load a client of a cloud, and then asks one of them.
import { createSecrets } from "nopeek";
import { aws } from "nopeek/adapters/aws";
import { gcp } from "nopeek/adapters/gcp";
import { memory } from "nopeek/testing";

const providers = [aws(), gcp(), memory({ "env://HELD": "in memory" })];
const secrets = createSecrets({ providers });
console.log("imported", (await secrets.get("env://HELD")).reveal());
const [, , reference] = process.argv;
console.log(String(await secrets.get(reference).catch((error) => error)));
