import { SecretError } from "../../src/secrets/index.ts";

/**
 * Loads the client of a store at its first use. A failed load is tried again by the next call.
 *
 * @param install - What to pass to `npm install`.
 * @param isRight - Whether the module is the expected one.
 * @returns A function that gives the module.
 * @throws SecretError `PROVIDER_MISSING`, which names the command that installs it.
 */
export function importPeer<Module>(
  load: () => Promise<Module>,
  install: string,
  isRight: (module: Module) => boolean,
): () => Promise<Module> {
  let loading: Promise<Module> | undefined;
  return () => {
    loading ??= load().then(
      (module) => {
        if (isRight(module)) return module;
        throw missing(install);
      },
      () => {
        throw missing(install);
      },
    );
    loading.catch(() => {
      loading = undefined;
    });
    return loading;
  };
}

function missing(install: string): SecretError {
  return new SecretError(
    "PROVIDER_MISSING",
    `the client of this store is not installed, or is another package of that name; run: npm install ${install}`,
  );
}
