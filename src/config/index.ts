/**
 * `nopeek.config.ts` and `nopeek.config.json`. Exported as `nopeek/config`.
 *
 * @module
 */
export { type ConfiguredLaunch, launchOptions } from "./launch-options.ts";
export { configFiles, type LoadedConfig, loadConfig } from "./load.ts";
export { readRuleChoice } from "./rule-files.ts";
export { type Config, type ConfigLaunch, type ConfigSecret, defineConfig } from "./types.ts";
