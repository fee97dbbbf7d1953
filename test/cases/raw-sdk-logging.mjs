// The same read as the raw client makes it.
import { createRequire } from "node:module";
import { SecretManagerServiceClient } from "@google-cloud/secret-manager";

const [, , endpoint, name] = process.argv;
const here = createRequire(import.meta.url);
const fromClient = createRequire(here.resolve("@google-cloud/secret-manager"));
const { googleAuthLibrary, grpc } = fromClient("google-gax");
const client = new SecretManagerServiceClient({
  apiEndpoint: "127.0.0.1",
  port: Number(new URL(endpoint).port),
  sslCreds: grpc.credentials.createInsecure(),
  authClient: new googleAuthLibrary.PassThroughClient(),
});
await client.accessSecretVersion({ name });
await client.close();
