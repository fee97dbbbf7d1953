/**
 * Masks secrets in what the process itself prints: console, standard output and error. Exported as
 * `nopeek/log`.
 *
 * @module
 */
export { redactConsole } from "./console.ts";
export { redactStdio } from "./stdio.ts";
