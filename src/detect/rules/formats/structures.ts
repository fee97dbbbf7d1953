import type { Rule, Step } from "../rule.ts";
import { alphanumeric, base64, base64url, exactly, word } from "./parts.ts";

const pemLabel: Step = {
  text: ["", ..."RSA,EC,DSA,OPENSSH,ENCRYPTED,SSH2 ENCRYPTED,PGP,ED25519,ANY".split(",")].map(
    (kind) => (kind === "" ? "PRIVATE KEY" : `${kind} PRIVATE KEY`),
  ),
};
/** Bytes of the password in a URL. */
const userinfo = "^\u0000-\u0020\u007f/@\"'<>`\\";
const headerValue = `${alphanumeric}._~+/=-`;

/** Credentials that are known by the text they stand in. */
export const structures: readonly Rule[] = [
  {
    id: "private-key",
    title: "private key in PEM (RFC 7468), also with escaped line breaks",
    keywords: ["-----BEGIN "],
    left: "any",
    shapes: [
      [
        pemLabel,
        { text: ["-----", " BLOCK-----"] },
        // Ends at the END line, at a byte that stands in no key, or at the length of the largest.
        { chars: "A-Za-z0-9+/=:,.\"' \\\t\r\n|>#*-", max: 16_384, until: "-----" },
        { chars: "A-Z0-9 ", max: 48 },
        { chars: "-", max: 5 },
      ],
    ],
    good: [
      "-----BEGIN RSA PRIVATE KEY-----\n{A-Za-z0-9*64}\n{A-Za-z0-9*40}\n-----END RSA PRIVATE KEY-----",
      "-----BEGIN PRIVATE KEY-----\\nMC4{A-Za-z0-9*61}\\n-----END PRIVATE KEY-----\\n",
      "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{A-Za-z0-9*64}\n-----END PGP PRIVATE KEY BLOCK-----",
    ],
    bad: [
      "-----BEGIN CERTIFICATE-----\n{A-Za-z0-9*64}\n-----END CERTIFICATE-----",
      "-----BEGIN PUBLIC KEY-----\n{A-Za-z0-9*64}\n-----END PUBLIC KEY-----",
    ],
  },
  {
    id: "jwt",
    title: "JSON Web Token (RFC 7519)",
    keywords: ["eyJ"],
    notAfter: ".",
    shapes: [
      [
        { chars: base64url, min: 10, max: 2000 },
        { text: ".eyJ" },
        { chars: base64url, min: 6, max: 65_536 },
        { text: "." },
        { chars: base64url, min: 16, max: 2000 },
      ],
    ],
    checks: ["jwt"],
    good: ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{A-Za-z0-9*30}.{A-Za-z0-9_*43}"],
    bad: ["eyJ{A-Za-z0-9*30}.eyJ{A-Za-z0-9*30}.{A-Za-z0-9*43}", "eyJhbGciOiJIUzI1NiJ9.{A-Z*30}"],
  },
  {
    id: "url-password",
    title: "password in a URL (RFC 3986, userinfo)",
    keywords: ["://"],
    left: "any",
    shapes: [
      [
        { chars: "^\u0000-\u0020\u007f:/?#@\"'<>`\\", max: 80 },
        { text: ":" },
        { chars: userinfo, min: 3, max: 256, secret: true },
        { text: "@" },
      ],
      // A password with an @ that was not escaped.
      [
        { chars: "^\u0000-\u0020\u007f:/?#@\"'<>`\\", max: 80 },
        { text: ":" },
        { chars: userinfo, min: 3, max: 256, secret: true },
        { text: "@", secret: true },
        { chars: "^\u0000-\u0020\u007f/?#@\"'<>`\\", max: 128, secret: true },
        { text: "@" },
      ],
    ],
    checks: ["uncommon", "literal"],
    good: [
      "postgresql://svc:{a-z0-9*9}@db:5432/x",
      "https://:{A-Za-z0-9*20}@host/x",
      "redis://u:{a-z*6}@{a-z0-9*8}@host/0",
    ],
    bad: [
      "http://localhost:8080/{a-z*5}@x",
      "postgres://u:$PASSWORD@db/x",
      "https://host/{a-z*9}",
      "postgres://user:password@db/x",
      "https://{{user}}:{{token}}@host/x",
    ],
  },
  {
    id: "authorization-header",
    title: "value of an Authorization header (RFC 9110)",
    keywords: ["authorization", "proxy-authorization", "http_authorization"],
    ignoreCase: true,
    shapes: [
      [
        { chars: "\\", max: 4 },
        { chars: "\"'", max: 1 },
        { chars: "]", max: 1 },
        { chars: " \t", max: 4 },
        { text: [":", "=", "=>", ","] },
        { chars: " \t", max: 4 },
        { chars: "\\", max: 4 },
        { chars: "bf\"'", max: 2 },
        { text: ["Bearer", "Basic", "Token", "ApiKey", "Api-Key", "Digest", "Key"] },
        { chars: " :=", min: 1, max: 4 },
        { chars: headerValue, min: 12, max: 8192, secret: true },
      ],
      // Some services take the bare token.
      [
        { chars: "\\", max: 4 },
        { chars: "\"'", max: 1 },
        { chars: "]", max: 1 },
        { chars: " \t", max: 4 },
        { text: [":", "=", "=>", ","] },
        { chars: " \t", max: 4 },
        { chars: "\\", max: 4 },
        { chars: "\"'", max: 1 },
        { chars: headerValue, min: 20, max: 2048, secret: true },
      ],
    ],
    checks: ["literal", "random", { entropy: 2.5 }],
    good: [
      "Authorization: Bearer {A-Z*4}{0-9*4}{A-Za-z0-9*12}",
      '"authorization":"Basic {A-Z*4}{0-9*4}{A-Za-z0-9*16}=="',
      "authorization: token {a-f0-9*40}",
    ],
    bad: ["Authorization: Bearer $TOKEN", "Authorization: required-by-the-server"],
  },
  {
    id: "bearer-token",
    title: "bearer token (RFC 6750)",
    keywords: ["bearer "],
    ignoreCase: true,
    shapes: [
      [
        { chars: " ", max: 4 },
        { chars: headerValue, min: 16, max: 4000, secret: true },
      ],
    ],
    checks: ["literal", "random", "letter-and-digit", { entropy: 3 }],
    good: ["Bearer {A-Za-z*6}{0-9*2}{A-Za-z*6}{0-9*6}", "bearer {A-Z*4}{0-9*3}{a-z*4}{0-9*6}"],
    bad: ["Bearer of-bad-news-and-more", "Bearer {0-9*10}", "bearer token-authentication-v2"],
  },
  {
    id: "netrc-password",
    title: "password in a .netrc file (ftp(1)): wandb writes its key there",
    keywords: ["login "],
    shapes: [
      [
        { chars: " \t", max: 8 },
        { chars: "^\u0000-\u0020\u007f", min: 1, max: 128 },
        { chars: " \t\r\n", min: 1, max: 24 },
        { text: ["password", "account"] },
        { chars: " \t\r\n", min: 1, max: 8 },
        { chars: "^\u0000-\u0020\u007f", min: 6, max: 512, secret: true },
      ],
    ],
    checks: ["uncommon", "literal", "letter-and-digit"],
    good: [
      "machine api.wandb.ai login user password {a-f0-9*39}7a",
      "machine host\n  login robot\n  password {a-z*8}{0-9*4}",
    ],
    bad: ["login page password reset", "login {a-z*4} passwd {a-z*8}1", "login x password <pw>"],
  },
  {
    id: "command-password",
    title: "user and password on a command line (curl -u, --user)",
    keywords: [" -u ", " --user ", " -u=", " --user=", " --proxy-user "],
    left: "any",
    shapes: [
      [
        { chars: "\"'", max: 1 },
        { chars: `${word}.@+-`, max: 64 },
        { text: ":" },
        { chars: "^\u0000-\u0020\u007f\"'`;|&<>\\", min: 6, max: 256, secret: true },
      ],
    ],
    checks: ["uncommon", "literal", "random", { entropy: 2.5 }],
    confidence: "heuristic",
    good: [
      "curl -u robot:{a-z*8}{0-9*4}{a-z*2} https://x",
      "wget --user 'x:{a-z*4}{0-9*2}{A-Z*4}{0-9*2}' y",
    ],
    bad: [
      "docker run -u 1000:1000 x",
      "docker run --user trainer:trainers x",
      "curl -u $USER:$PASS x",
    ],
  },
  {
    id: "session-cookie",
    title: "session of GitLab's web interface",
    keywords: ["_gitlab_session="],
    left: "any",
    shapes: [[{ ...exactly(alphanumeric, 32), secret: true }]],
    notBefore: word,
    good: ["Cookie: _gitlab_session={a-f0-9*32}"],
    bad: ["_gitlab_session={a-z*8}"],
  },
  {
    id: "encoded-jwt",
    title: "JSON Web Token in base64",
    keywords: ["ZXlKaGJHY2lPaU", "ZXlKMGVYQWlPaU", "ZXlKcmFXUWlPaU"],
    shapes: [[{ chars: `${base64}=_-`, min: 80, max: 4000 }]],
    good: ["ZXlKaGJHY2lPaU{A-Za-z0-9*200}"],
    bad: ["ZXlKaGJHY2lPaU{A-Za-z0-9*20}"],
  },
];
