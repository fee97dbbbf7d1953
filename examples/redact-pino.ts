// Masks secrets in every line of a logger: messages, fields, errors, children.
import { randomBytes } from "node:crypto";
import { Secret } from "nopeek";
import { redactPino } from "nopeek/log/pino";
import { pino } from "pino";

const token = new Secret(randomBytes(24).toString("hex"), { name: "API_TOKEN" });
const logger = redactPino(pino({ base: null, timestamp: false }));

logger.info({ headers: { authorization: `Bearer ${token.reveal()}` } }, "request");
logger.child({ url: `https://example.org/?key=${token.reveal()}` }).warn("retry");
logger.error(new Error(`refused ${token.reveal()}`));
