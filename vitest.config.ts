import { defineConfig } from "vitest/config";

// Tests that import the package by name get the source, so no build is needed for them.
const conditions = ["nopeek:source", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/fail-on-console.ts"],
    testTimeout: 30_000,
    restoreMocks: true,
    unstubEnvs: true,
    reporters: ["default", ["json", { outputFile: "test-results.json" }]],
  },
});
