// A loader hook that refuses the clients of the clouds: `node --import` this file, then import what
// must not load them.
import { register } from "node:module";

const hook = `
const clients = /^(?:@aws-sdk|@google-cloud|@grpc|google-|modal)/;
export function resolve(specifier, context, next) {
  if (clients.test(specifier)) throw new Error("a cloud client was loaded: " + specifier);
  return next(specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
