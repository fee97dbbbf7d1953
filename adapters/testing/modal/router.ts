import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Containers, type SecretSource, withPlatform } from "./containers.ts";
import { fileToolPath, runFileTool } from "./file-tool.ts";
import { ContainerProcess } from "./processes.ts";
import { routerCalls, routerMessages } from "./router-protocol.ts";
import { handler, type Message, RpcError, type ServicePart } from "./rpc.ts";

interface OfTask {
  readonly taskId: string;
}

interface OfExec extends OfTask {
  readonly execId: string;
}

interface Start extends OfExec {
  readonly commandArgs?: readonly string[];
  readonly timeoutSecs?: number;
  readonly workdir?: string;
  readonly secretSources?: readonly SecretSource[];
}

/** A command that was started in a sandbox, and what was written to its stdin. */
interface Exec {
  readonly process: ContainerProcess;
  readonly input: { bytes: number; closed: boolean };
  readonly receive: (data: Uint8Array, eof: boolean) => void;
}

/** The file descriptors of this service. */
const stderrNumber = 1;

/** The router's calls: output and input of sandboxes of the newer backend, and commands within. */
export function createRouterPart(containers: Containers): ServicePart & { close(): void } {
  const execs = new Map<string, Exec>();

  function exec({ execId }: OfExec): Exec {
    const found = execs.get(execId);
    if (found === undefined) throw new RpcError("NOT_FOUND", "Exec not found");
    return found;
  }

  function start(request: Start): void {
    const container = containers.byTask(request.taskId);
    if (container.process.result !== undefined) {
      throw new RpcError("FAILED_PRECONDITION", "The task has finished");
    }
    const command = request.commandArgs ?? [];
    if (command[0] === fileToolPath) {
      const idle = new ContainerProcess();
      const input = new Promise<Uint8Array>((resolve) => {
        const parts: Uint8Array[] = [];
        keep(request.execId, idle, (data, eof) => {
          parts.push(data);
          if (eof) resolve(Buffer.concat(parts));
        });
      });
      void runFileTool(idle, container.rootDir, command[1] ?? "{}", input);
      return;
    }
    const cwd = join(container.rootDir, request.workdir ?? container.definition.workdir ?? "");
    mkdirSync(cwd, { recursive: true });
    const own = containers.variables(request.secretSources ?? []);
    const env = withPlatform({ ...container.env, ...own }, container.env);
    const timeoutMs = (request.timeoutSecs ?? 0) * 1000;
    const started = new ContainerProcess(command, { env, cwd, timeoutMs });
    // Nothing outlives its sandbox.
    void container.process.ended.then(() => started.kill());
    keep(request.execId, started, (data, eof) => {
      started.write(data);
      if (eof) started.closeInput();
    });
  }

  function keep(id: string, command: ContainerProcess, receive: Exec["receive"]): void {
    const input = { bytes: 0, closed: false };
    execs.set(id, {
      process: command,
      input,
      receive(data, eof) {
        input.bytes += data.length;
        input.closed ||= eof;
        receive(data, eof);
      },
    });
  }

  const ended = ({ process: command }: Exec): Message =>
    command.result === undefined ? {} : { code: command.result.exitcode };

  return {
    service: "TaskCommandRouter",
    messages: routerMessages,
    calls: routerCalls,
    handlers: {
      SandboxStdioReadV2: handler<OfTask & { offset: number; fileDescriptor: number }>(
        ({ taskId, offset, fileDescriptor }, { signal }) => {
          const { stdout, stderr } = containers.byTask(taskId).process;
          const log = fileDescriptor === stderrNumber ? stderr : stdout;
          return data(log.from(offset, signal), offset);
        },
      ),
      SandboxStdinWriteV2: handler<OfTask & { data: Uint8Array; eof: boolean }>((request) => {
        const { process: command } = containers.byTask(request.taskId);
        command.write(request.data);
        if (request.eof) command.closeInput();
        return {};
      }),
      TaskExecStart: handler<Start>((request) => {
        start(request);
        return {};
      }),
      TaskExecStdioRead: handler<OfExec & { offset: number; fileDescriptor: number }>(
        (request, { signal }) => {
          const { stdout, stderr } = exec(request).process;
          const log = request.fileDescriptor === stderrNumber ? stderr : stdout;
          return data(log.from(request.offset, signal));
        },
      ),
      TaskExecWait: handler<OfExec>(async (request) => {
        const found = exec(request);
        await found.process.ended;
        return ended(found);
      }),
      TaskExecPoll: handler<OfExec>((request) => ended(exec(request))),
      TaskExecStdinWrite: handler<OfExec & { data: Uint8Array; eof: boolean }>((request) => {
        exec(request).receive(request.data, request.eof);
        return {};
      }),
      TaskExecStdinStatus: handler<OfExec>((request) => {
        const { bytes, closed } = exec(request).input;
        return { numBytesWritten: bytes, closed };
      }),
    },
    streamHandlers: {
      async TaskExecStdinWriteStream(messages) {
        let found: Exec | undefined;
        for await (const message of messages) {
          const { start: begin, data: bytes, end } = message as InputMessage;
          if (begin !== undefined) found = exec(begin);
          else if (bytes !== undefined) found?.receive(bytes, false);
          else if (end !== undefined) found?.receive(new Uint8Array(), true);
        }
        return {};
      },
    },
    close() {
      for (const { process: command } of execs.values()) command.kill();
    },
  };
}

interface InputMessage {
  readonly start?: OfExec;
  readonly data?: Uint8Array;
  readonly end?: object;
}

async function* data(pieces: AsyncIterable<Buffer>, startingOffset = 0): AsyncGenerator<Message> {
  let first = true;
  for await (const piece of pieces) {
    yield { data: piece, ...(first && { startingOffset }) };
    first = false;
  }
}
