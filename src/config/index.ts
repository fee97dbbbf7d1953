/**
 * `nopeek.config.ts` and `nopeek.config.json`. Exported as `nopeek/config`.
 *
 * @module
 */
export { type ConfiguredLaunch, launchOptions } from "./launch-options.ts";
export { baseOf, configFiles, hashConfig, type LoadedConfig, loadConfig } from "./load.ts";
export {
  type Config,
  type ConfigAudit,
  type ConfigLaunch,
  type ConfigRuntime,
  type ConfigSecret,
  defineConfig,
} from "./types.ts";
