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
  const view: NodeJS.ProcessEnv = new Proxy(variables, {
    set: (target, name, value, receiver) => {
      // What only inherits from the variables gets a property of its own, and sets no variable.
      if (receiver !== view) return Reflect.set(target, name, value, receiver);
      const isSet = Reflect.set(target, name, value);
      noticed(target, name);
      return isSet;
    },
    defineProperty: (target, name, descriptor) => {
      const isDefined = Reflect.defineProperty(target, name, descriptor);
      noticed(target, name);
      return isDefined;
    },
    deleteProperty: (target, name) => {
      const isDeleted = Reflect.deleteProperty(target, name);
      // Without a list others are watched.
      if (name === listName) takeAll(target);
      return isDeleted;
    },
  });
  return view;
}

function noticed(variables: NodeJS.ProcessEnv, name: string | symbol): void {
  if (name === listName) takeAll(variables);
  else if (typeof name === "string") takeIfWatched(variables, name);
}

function takeAll(variables: NodeJS.ProcessEnv): void {
  let names: readonly string[] = [];
  try {
    names = Object.keys(Object(variables));
  } catch {
    warn("the variables cannot be listed, so they are not masked");
  }
  for (const name of names) takeIfWatched(variables, name);
}

/** Setting a variable must not fail for what masks it, whatever an object in place of them holds. */
function takeIfWatched(variables: NodeJS.ProcessEnv, name: string): void {
  try {
    if (isWatched(variables, name)) take(variables, name);
  } catch {
    warn(`the value of ${name} cannot be read, so it is not masked`);
  }
}

function isWatched(variables: NodeJS.ProcessEnv, name: string): boolean {
  const list = textOf(variables[listName]);
  if (list !== undefined) return list.split(",").some((listed) => listed.trim() === name);
  return isCredentialName(name) && !name.startsWith("NOPEEK_");
}

/** Known from now on to every redactor that follows the secrets of the process. */
function take(variables: NodeJS.ProcessEnv, name: string): void {
  const value = textOf(variables[name]);
  if (value === undefined || plainReason(value) !== null) return;
  try {
    void new Secret(value, namePattern.test(name) ? { name } : {});
  } catch {
    warn(`the value of ${name} is too large to be masked`);
  }
}

/** The text of a variable; an object in place of the process's variables may hold anything. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "bigint" ? String(value) : undefined;
}

function warn(why: string): void {
  process.emitWarning(`nopeek: ${why}`);
}
