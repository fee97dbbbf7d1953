/** How long a line of ours waits for the job to end one of its own. */
const patienceMs = 100;
const lookEveryMs = 10;

/** Says lines where the job's stderr is at the start of a line, or after a short while anywhere. */
export class BetweenLines {
  readonly #say: (line: string, isMidLine: boolean) => void;
  #isMidLine: () => boolean = () => false;
  #waiting: string[] = [];
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(say: (line: string, isMidLine: boolean) => void) {
    this.#say = say;
  }

  follow(isMidLine: () => boolean): void {
    this.#isMidLine = isMidLine;
  }

  say(line: string): void {
    if (this.#waiting.length === 0) this.#since = performance.now();
    this.#waiting.push(line);
    this.#sayIfFree();
  }

  /** Says what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    for (const [index, line] of this.#waiting.splice(0).entries()) {
      this.#say(line, index === 0 && this.#isMidLine());
    }
  }

  #sayIfFree(): void {
    clearTimeout(this.#timer);
    if (!this.#isMidLine() || performance.now() - this.#since > patienceMs) this.flush();
    else this.#timer = setTimeout(() => this.#sayIfFree(), lookEveryMs);
  }
}
