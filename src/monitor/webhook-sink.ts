import type { ClientRequest, RequestOptions } from "node:http";
import { type Secret, SecretError } from "../secrets/index.ts";
import { type Alert, AlertFailure, type AlertSink } from "./sink.ts";

export interface WebhookOptions {
  /** How long one alert may take (default: 5,000). */
  readonly timeoutMs?: number | undefined;
  /** Also takes `http://` on this machine. */
  readonly allowLoopback?: boolean | undefined;
}

/**
 * Posts each alert as JSON. The address is a secret, since who knows it may post; it stands in no
 * message. No redirect is followed, and nothing of an answer but its status is read.
 *
 * @throws SecretError `ENDPOINT_REFUSED` for what is not https, `MONITOR_INVALID` for what is no URL.
 *
 * @example
 * const url = await secrets.get("env://ALERT_WEBHOOK");
 * createMonitor({ alerts: [webhookSink(url)] });
 */
export function webhookSink(address: Secret, options: WebhookOptions = {}): AlertSink {
  const url = urlOf(address);
  const isPlain = url.protocol === "http:" && options.allowLoopback === true && isLoopback(url);
  if (url.protocol !== "https:" && !isPlain) {
    throw new SecretError(
      "ENDPOINT_REFUSED",
      "the alert webhook is not https; use https, or allowLoopback for http on this machine",
    );
  }
  return {
    name: "webhook",
    timeoutMs: options.timeoutMs,
    send: (alert, signal) => post(url, alert, signal),
  };
}

function urlOf(address: Secret): URL {
  try {
    return new URL(address.reveal().trim());
  } catch (error) {
    if (error instanceof SecretError) throw error;
    // Node's own error quotes the address.
    throw new SecretError(
      "MONITOR_INVALID",
      "the alert webhook holds no URL; set it to https://...",
    );
  }
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

async function post(url: URL, alert: Alert, signal: AbortSignal): Promise<void> {
  const { request } =
    url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const body = Buffer.from(JSON.stringify(alert));
  const options: RequestOptions = {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": body.length },
    agent: false,
    signal,
  };
  await new Promise<void>((settle, reject) => {
    let sent: ClientRequest;
    try {
      sent = request(url, options);
    } catch {
      reject(new AlertFailure("failed"));
      return;
    }
    sent.on("error", () => reject(new AlertFailure(signal.aborted ? "timeout" : "connection")));
    sent.on("response", (response) => {
      const { statusCode = 0 } = response;
      response.on("error", () => undefined);
      response.destroy();
      if (statusCode >= 200 && statusCode < 300) settle();
      else reject(new AlertFailure(statusCode >= 300 && statusCode < 400 ? "redirect" : "status"));
    });
    sent.end(body);
  });
}
