// Compile-time tests: nothing here runs, `tsc -p test` is the assertion.
import { createSecrets, defineSecrets, type Secret } from "nopeek";
import { defineConfig } from "nopeek/config";
import { launch } from "nopeek/launch";
import { expectTypeOf } from "vitest";

const secrets = createSecrets({ providers: [] });
expectTypeOf(secrets.get).returns.resolves.toEqualTypeOf<Secret>();
expectTypeOf(secrets.find).returns.resolves.toEqualTypeOf<Secret | null>();

const declared = defineSecrets({ A: "env://A", B: { from: "env://B", optional: true } });
expectTypeOf(secrets.load(declared)).resolves.toEqualTypeOf<{
  A: Secret;
  B: Secret | null;
}>();

declare const secret: Secret;
// @ts-expect-error a secret is not text: it must be revealed
export const text: string = secret;
// @ts-expect-error a misspelt option
defineSecrets({ A: { from: "env://A", optinal: true } });
// @ts-expect-error a command is a list, not a shell line
void launch({ command: "python train.py" });
// @ts-expect-error a misspelt key of a launch
defineConfig({ launches: { train: { comand: ["python"] } } });
