/** What the client of Modal calls around each of its requests, as far as nopeek looks at it. */
export interface MiddlewareCall {
  readonly method: { readonly path: string };
  readonly request: unknown;
  next(request: unknown, options: object): AsyncGenerator<unknown, unknown>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export type Middleware = (
  call: MiddlewareCall,
  options: CallOptions,
) => AsyncGenerator<unknown, unknown>;
