interface Process {
  emit(event: string, ...rest: unknown[]): boolean;
  reallyExit(code?: number): void;
}

/**
 * Calls back when the process ends, after the last listener of `exit`: those may still print. Both
 * ways to the end are followed, as some listener may call `process.exit` again.
 */
export function atProcessEnd(callback: () => void): Disposable {
  const owner = process as unknown as Process;
  const { emit, reallyExit } = owner;
  let isOn = true;
  const end = () => {
    if (isOn) callback();
  };
  const emitting: Process["emit"] = (event, ...rest) => {
    try {
      return Reflect.apply(emit, owner, [event, ...rest]);
    } finally {
      if (event === "exit") end();
    }
  };
  const exiting: Process["reallyExit"] = (...args) => {
    end();
    Reflect.apply(reallyExit, owner, args);
  };
  owner.emit = emitting;
  owner.reallyExit = exiting;
  return {
    [Symbol.dispose]: () => {
      isOn = false;
      // Where somebody else follows as well, ours stays beneath and does nothing.
      if (owner.emit === emitting) owner.emit = emit;
      if (owner.reallyExit === exiting) owner.reallyExit = reallyExit;
    },
  };
}
