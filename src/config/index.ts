/**
 * `nopeek.config.ts` and `nopeek.config.json`. Exported as `nopeek/config`.
 *
 * @module
 */
export { type ConfiguredLaunch, launchOptions } from "./launch-options.ts";
export { baseOf, configFiles, hashConfig, type LoadedConfig, loadConfig } from "./load.ts";
export { readRuleChoice } from "./rule-files.ts";
export {
  type Config,
  type ConfigAudit,
  type ConfigIncidents,
  type ConfigLaunch,
  type ConfigRotation,
  type ConfigRuntime,
  type ConfigSecret,
  type ConfigTarget,
  defineConfig,
} from "./types.ts";
