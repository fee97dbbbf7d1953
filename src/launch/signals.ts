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
  // Ctrl-Z: the job is in a session of its own, where the terminal cannot stop it.
  const pause = () => {
    receive("SIGSTOP");
    process.kill(process.pid, "SIGSTOP");
  };
  const handlers = new Map<NodeJS.Signals, (signal: NodeJS.Signals) => void>([
    ...forwardedSignals.map((signal) => [signal, take] as const),
    ["SIGTSTP", pause],
    ["SIGCONT", take],
  ]);
  if (enabled) for (const [signal, handler] of handlers) process.on(signal, handler);
  return {
    to(receiver) {
      receive = receiver;
      for (const signal of early.splice(0)) receiver(signal);
    },
    [Symbol.dispose]() {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
  };
}
