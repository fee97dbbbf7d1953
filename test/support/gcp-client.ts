import { createRequire } from "node:module";
import { SecretManagerServiceClient } from "@google-cloud/secret-manager";

/** The raw client for a loopback server; what it needs is taken from its own dependencies. */
export function gcpClient(endpoint: string, transport: "grpc" | "rest" = "grpc") {
  const here = createRequire(import.meta.url);
  const fromClient = createRequire(here.resolve("@google-cloud/secret-manager"));
  const { googleAuthLibrary, grpc } = fromClient("google-gax");
  const authClient = new googleAuthLibrary.PassThroughClient();
  const address = { apiEndpoint: "127.0.0.1", port: Number(new URL(endpoint).port), authClient };
  return new SecretManagerServiceClient(
    transport === "grpc"
      ? { ...address, sslCreds: grpc.credentials.createInsecure() }
      : { ...address, protocol: "http", fallback: true },
  );
}
