/**
 * Masks secrets in all that this process prints and logs, from the moment it is loaded: first in the
 * program (`import "nopeek/register"`), or before it (`node --import nopeek/register`). Exported as
 * `nopeek/register`.
 *
 * Secrets are what the process resolves or makes with nopeek, and what its variables hold: those
 * that `NOPEEK_SECRETS` names (`nopeek run` sets it), or, without it, those with names of
 * credentials, also when `dotenv` sets them later. It covers what `redactStdio` covers, and the
 * loggers of pino and winston wherever they write.
 *
 * A syntax error in an ES module is printed without its place: Node keeps that where no program can
 * read it. `node --check` shows it.
 *
 * @module
 */
import { watchEnvironment } from "./environment-watch.ts";
import { watchPino, watchWinston } from "./loaded-loggers.ts";
import { ownRedactor } from "./own-redactor.ts";
import { redactStdio } from "./stdio.ts";

watchEnvironment();
redactStdio();
watchPino(ownRedactor());
watchWinston(ownRedactor());
