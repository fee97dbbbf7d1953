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

/** Signals that stop a job which is still starting. */
const stopping: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]);

/** What happens while a job starts. */
export interface HeldSignals extends Disposable {
  /** The signals that came meanwhile: the job is to get them when it runs. */
  readonly held: readonly NodeJS.Signals[];
  /** Aborted by one that stops the job, and by the caller: a start may take minutes. */
  readonly signal: AbortSignal;
}

/** Holds the signals of this process while a job starts. */
export function heldSignals(
  signals: SignalForwarding,
  given: AbortSignal | undefined,
): HeldSignals {
  const held: NodeJS.Signals[] = [];
  const stop = new AbortController();
  const abort = () => stop.abort();
  given?.addEventListener("abort", abort, { once: true });
  if (given?.aborted === true) abort();
  signals.to((signal) => {
    held.push(signal);
    if (stopping.has(signal)) abort();
  });
  return {
    held,
    signal: stop.signal,
    [Symbol.dispose]: () => given?.removeEventListener("abort", abort),
  };
}
