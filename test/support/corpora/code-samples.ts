import { bareTokens } from "./bare-tokens.ts";
import { placed } from "./contexts.ts";
import { type Draw, drawFrom } from "./draw.ts";

/** How code that people publish holds a credential by mistake: what a code model is trained on. */
const samples: readonly ((name: string, secret: string, draw: Draw) => string)[] = [
  (name, secret) => `import os\n\nos.environ["${name}"] = "${secret}"\n`,
  (name, secret) => `const client = new Client({ ${name.toLowerCase()}: "${secret}" });\n`,
  (name, secret) => `// TODO remove\nstatic final String ${name} = "${secret}";\n`,
  (name, secret) =>
    `curl -s -H 'Authorization: Bearer ${secret}' https://api.internal/${name.length}\n`,
  (name, secret) => `${name}=${secret}\nexport ${name}\n`,
];

/** Records of a data set of code, as JSON lines; the tokens in it are valid and belong to nobody. */
export function codeSamples(count: number, seed = 1): string[] {
  const draw = drawFrom(seed);
  return Array.from({ length: count }, (_, index) => {
    const token = draw.pick(bareTokens).make(draw);
    const content = draw.pick(samples)(token.name, placed(token), draw);
    return JSON.stringify({ id: index, path: `src/main_${draw.below(999)}.py`, content, label: 1 });
  });
}
