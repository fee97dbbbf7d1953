import { isCredentialName, plainReason, Secret } from "../secrets/index.ts";

const namePattern = /^[\w.:/@+-]{1,128}$/;
const listName = "NOPEEK_SECRETS";

/**
 * Makes secrets of the process's variables: of those that `NOPEEK_SECRETS` names (commas between
 * them), or, where it is not set, of those whose names are credentials'. Values that are too short
 * or too common to be secrets are left.
 *
 * It sees every later change at once, before anything can be printed: `process.env` is replaced by
 * a view that looks at what is written to it, by `dotenv` and the like, and at another object that
 * is put in its place; `process.loadEnvFile`, which writes past it, is followed by a second look.
 */
export function watchEnvironment(): Disposable {
  const before = Object.getOwnPropertyDescriptor(process, "env");
  if (before?.configurable !== true) return { [Symbol.dispose]: () => undefined };
  let variables = process.env;
  let view = viewOf(variables);
  takeAll(variables);
  Object.defineProperty(process, "env", {
    get: () => view,
    set: (next: NodeJS.ProcessEnv) => {
      if (next === view) return;
      variables = next;
      view = viewOf(variables);
      takeAll(variables);
    },
    enumerable: true,
    configurable: true,
  });
  const { loadEnvFile } = process;
  if (typeof loadEnvFile === "function") {
    process.loadEnvFile = (...args) => {
      try {
        loadEnvFile.apply(process, args);
      } finally {
        takeAll(variables);
      }
    };
  }
  return {
    [Symbol.dispose]: () => {
      Object.defineProperty(process, "env", { ...before, value: variables });
      if (typeof loadEnvFile === "function") process.loadEnvFile = loadEnvFile;
    },
  };
}

/** The variables, with a look at each that is written. */
function viewOf(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // Whoever puts nothing there gets nothing.
  if (Object(variables) !== variables) return variables;
  return new Proxy(variables, {
    set: (target, name, value) => {
      const isSet = Reflect.set(target, name, value);
      noticed(target, name);
      return isSet;
    },
    defineProperty: (target, name, descriptor) => {
      const isDefined = Reflect.defineProperty(target, name, descriptor);
      noticed(target, name);
      return isDefined;
    },
  });
}

function noticed(variables: NodeJS.ProcessEnv, name: string | symbol): void {
  if (name === listName) takeAll(variables);
  else if (typeof name === "string" && isWatched(variables, name)) take(variables, name);
}

function takeAll(variables: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(Object(variables))) {
    if (isWatched(variables, name)) take(variables, name);
  }
}

function isWatched(variables: NodeJS.ProcessEnv, name: string): boolean {
  const list = variables[listName];
  if (list !== undefined) return list.split(",").some((listed) => listed.trim() === name);
  return isCredentialName(name) && !name.startsWith("NOPEEK_");
}

/** Known from now on to every redactor that follows the secrets of the process. */
function take(variables: NodeJS.ProcessEnv, name: string): void {
  const value = variables[name];
  if (value === undefined || plainReason(value) !== null) return;
  try {
    void new Secret(value, namePattern.test(name) ? { name } : {});
  } catch {
    // Setting a variable must not fail for what masks it.
    process.emitWarning(`nopeek: the value of ${name} is too large to be masked`);
  }
}
