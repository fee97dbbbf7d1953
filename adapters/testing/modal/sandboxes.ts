import { setTimeout as sleep } from "node:timers/promises";
import type { Container, Containers, Definition, SecretSource, Tag } from "./containers.ts";
import { type CallInfo, handler, type Message, type ServicePart } from "./rpc.ts";
import { sandboxCalls, sandboxMessages } from "./sandbox-protocol.ts";

/** Where a client finds the router of a sandbox. */
export type RouterAccess = () => { readonly jwt: string; readonly url: string };

interface Create {
  readonly appId: string;
  readonly definition: Definition;
  readonly tags?: readonly Tag[];
  readonly secretSources?: readonly SecretSource[];
}

interface ById {
  readonly sandboxId: string;
}

interface List {
  readonly appId: string;
  readonly beforeTimestamp: number;
  readonly includeFinished: boolean;
  readonly tags?: readonly Tag[];
}

/** A client that gets an answer at once asks again at once. */
const longestWaitSeconds = 55;

/** The control plane's calls for sandboxes of both backends. */
export function createSandboxesPart(containers: Containers, access: RouterAccess): ServicePart {
  const taskId = handler<ById>(({ sandboxId }) => ({ taskId: containers.byId(sandboxId).taskId }));

  const wait = handler<ById & { timeout: number }>(async ({ sandboxId, timeout }, { signal }) => {
    const { process: command, appId } = containers.byId(sandboxId);
    if (command.result === undefined && timeout > 0) {
      const limitMs = Math.min(timeout, longestWaitSeconds) * 1000;
      const waited = sleep(limitMs, undefined, { signal, ref: false }).catch(() => undefined);
      await Promise.race([command.ended, waited]);
    }
    const { result } = command;
    return { ...(result && { result }), metadata: { appId, ...(result && { result }) } };
  });

  const terminate = handler<ById>(({ sandboxId }) => {
    const { process: command } = containers.byId(sandboxId);
    const existing = command.result;
    if (existing === undefined) command.kill();
    return existing === undefined ? {} : { existingResult: existing };
  });

  const setTags = handler<ById & { tags?: readonly Tag[] }>(({ sandboxId, tags = [] }) => {
    containers.byId(sandboxId).tags = tags;
    return {};
  });

  const getTags = handler<ById>(({ sandboxId }) => ({ tags: containers.byId(sandboxId).tags }));

  const list = handler<List>(({ appId, beforeTimestamp, includeFinished, tags = [] }) => {
    const listed = [...containers.all.values()]
      .filter((one) => appId === "" || one.appId === appId)
      .filter((one) => includeFinished || one.process.result === undefined)
      .filter((one) => beforeTimestamp === 0 || one.createdAtMs / 1000 < beforeTimestamp)
      .filter((one) => tags.every((tag) => hasTag(one, tag)))
      .sort((a, b) => b.createdAtMs - a.createdAtMs);
    return { sandboxes: listed.map(infoOf) };
  });

  return {
    messages: sandboxMessages,
    calls: sandboxCalls,
    handlers: {
      SandboxCreate: handler<Create>(({ appId, definition, tags = [] }) => {
        const sources = (definition.secretIds ?? []).map((secretId) => ({ secretId }));
        const container = containers.create("V1", { appId, definition, tags, sources });
        return { sandboxId: container.id, metadata: { appId } };
      }),
      SandboxCreateV2: handler<Create>(({ appId, definition, tags = [], secretSources = [] }) => {
        const sources = secretSources;
        const container = containers.create("V2", { appId, definition, tags, sources });
        return {
          sandboxId: container.id,
          taskId: container.taskId,
          metadata: { appId },
          commandRouterAccess: access(),
        };
      }),
      SandboxGetTaskId: taskId,
      SandboxGetTaskIdV2: taskId,
      SandboxWait: wait,
      SandboxWaitV2: wait,
      SandboxTerminate: terminate,
      SandboxTerminateV2: terminate,
      SandboxTagsSet: setTags,
      SandboxTagsSetV2: setTags,
      SandboxTagsGet: getTags,
      SandboxTagsGetV2: getTags,
      SandboxList: list,
      SandboxListV2: list,
      SandboxGetCommandRouterAccess: () => ({ ...access() }),
      TaskGetCommandRouterAccess: () => ({ ...access() }),
      SandboxStdinWrite: handler<ById & { input: Uint8Array; eof: boolean }>(
        ({ sandboxId, input, eof }) => {
          const { process: command } = containers.byId(sandboxId);
          command.write(input);
          if (eof) command.closeInput();
          return {};
        },
      ),
      SandboxGetLogs: handler<ById & { fileDescriptor: number; lastEntryId: string }>(
        ({ sandboxId, fileDescriptor, lastEntryId }, call) =>
          logs(containers.byId(sandboxId), fileDescriptor, lastEntryId, call),
      ),
    },
  };
}

/** The output of the older backend: text, in entries whose ids hold the offset behind them. */
async function* logs(
  { process: command, taskId }: Container,
  fileDescriptor: number,
  lastEntryId: string,
  { signal }: CallInfo,
): AsyncGenerator<Message> {
  const log = fileDescriptor === 2 ? command.stderr : command.stdout;
  let offset = Number(lastEntryId.split("-")[0]) || 0;
  let held = Buffer.alloc(0);
  for await (const piece of log.from(offset, signal)) {
    const bytes = Buffer.concat([held, piece]);
    const whole = wholeCharacters(bytes);
    held = bytes.subarray(whole);
    if (whole === 0) continue;
    offset += whole;
    yield entry(taskId, fileDescriptor, offset, bytes.subarray(0, whole));
  }
  if (signal.aborted) return;
  offset += held.length;
  if (held.length > 0) yield entry(taskId, fileDescriptor, offset, held);
  yield { taskId, entryId: `${offset}-0`, items: [], eof: true };
}

function entry(taskId: string, fileDescriptor: number, offset: number, bytes: Buffer): Message {
  const item = { data: bytes.toString("utf8"), fileDescriptor, timestamp: Date.now() / 1000 };
  return { taskId, entryId: `${offset}-0`, items: [item] };
}

/** How many bytes there are before a UTF-8 character that has only begun. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function hasTag({ tags }: Container, { tagName, tagValue }: Tag): boolean {
  return tags.some((tag) => tag.tagName === tagName && tag.tagValue === tagValue);
}

function infoOf({ id, createdAtMs, appId, tags, definition }: Container): Message {
  return {
    ...{ id, createdAt: createdAtMs / 1000, appId, tags },
    name: definition.name ?? "",
    imageId: definition.imageId,
    timeoutSecs: definition.timeoutSecs,
  };
}
