/** Where the database is. */
export interface PostgresServer {
  readonly host: string;
  readonly port?: number | undefined;
  readonly database?: string | undefined;
  /** TLS, checked against the system's authorities or these; default: on, but for this machine. */
  readonly ssl?: boolean | { readonly ca: string } | undefined;
}
