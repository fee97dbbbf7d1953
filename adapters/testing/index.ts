/**
 * Test your launchers and your own providers without a cloud: loopback servers for the real clients,
 * a provider in memory, and the contract that every provider keeps. Exported as `nopeek/testing`.
 *
 * @module
 */
export { type AwsServer, type AwsServerOptions, startAws } from "./aws.ts";
export {
  type ContractCase,
  type ContractFeature,
  type ContractFixture,
  providerContract,
} from "./contract.ts";
export { type GcpServer, type GcpServerOptions, startGcp } from "./gcp.ts";
export { type IamServer, startIam } from "./iam.ts";
export { memory } from "./memory.ts";
export {
  type ModalCall,
  type ModalFault,
  type ModalSandbox,
  type ModalServer,
  type ModalServerOptions,
  type StatusName,
  startModal,
} from "./modal/index.ts";
export { valuesPrintedBy } from "./printed.ts";
export { type Recorder, type RecorderOptions, recorder } from "./recorder.ts";
export type { Fault, FaultKind, LoopbackServer } from "./server.ts";
