/** What the loggers' tests print: each form of the leak matrix that stands in one record. */
import { printedForms } from "./printed-forms.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "./values.ts";

export const sinkValues = {
  token: randomToken(),
  password: awkwardPassword(),
  pem: privateKeyPem(),
};

/** Values cut by line breaks or colours: loggers do not look for those, they print whole values. */
const cut = /^(?:cut|coloured|every character|base64 of more)/;

export const sinkTexts = printedForms
  .filter(({ title }) => !cut.test(title))
  .map(({ title, value, print }) => ({ title, text: print(sinkValues[value]) }));

/** What is left of a text after its masks, where nothing may be left. */
export function withoutMasks(text: string): string {
  return text.replaceAll(/\[REDACTED(?::\w+)?\]/g, "");
}
