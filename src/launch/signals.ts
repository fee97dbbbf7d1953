/** The signals that a job gets from its launcher. */
const forwardedSignals = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
] as const satisfies readonly NodeJS.Signals[];

/** Takes the signals of this process from its creation to its disposal. */
export interface SignalForwarding extends Disposable {
  /** Sends on what comes, and first what came before the job ran. */
  to(receive: (signal: NodeJS.Signals) => void): void;
}

/** Starts to take the signals of this process; without `enabled` it leaves them alone. */
export function takeSignals(enabled: boolean): SignalForwarding {
  const early: NodeJS.Signals[] = [];
  let receive = (signal: NodeJS.Signals): void => void early.push(signal);
  const take = (signal: NodeJS.Signals) => receive(signal);
  if (enabled) for (const signal of forwardedSignals) process.on(signal, take);
  return {
    to(receiver) {
      receive = receiver;
      for (const signal of early.splice(0)) receiver(signal);
    },
    [Symbol.dispose]() {
      for (const signal of forwardedSignals) process.off(signal, take);
    },
  };
}
