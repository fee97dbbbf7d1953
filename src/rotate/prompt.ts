import { Secret, SecretError } from "../secrets/index.ts";

const maxLength = 65_536;
const keys = {
  end: new Set(["\r", "\n", "\u0004"]),
  stop: "\u0003",
  back: new Set(["\u007f", "\b"]),
};

/**
 * Asks on the terminal; what is typed or pasted is not shown.
 *
 * @throws SecretError `ROTATION_REFUSED` without a terminal or when the answer is given up or empty.
 */
export async function askHidden(question: string): Promise<Secret> {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true) {
    throw refused(
      "there is no terminal to paste the new value into; give it on standard input: --value-stdin",
    );
  }
  // Before the question: who answers at once is not shown either.
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stderr.write(question);
  let typed = "";
  try {
    for await (const chunk of stdin) {
      for (const key of String(chunk)) {
        if (keys.end.has(key)) return answer(typed);
        if (key === keys.stop) throw refused("given up");
        typed = keys.back.has(key) ? typed.slice(0, -1) : typed + key;
      }
      if (typed.length > maxLength) throw refused("that is too long for a token");
    }
    return answer(typed);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

function answer(typed: string): Secret {
  // Some terminals put marks around what is pasted.
  const text = typed.replace(/^\u001b\[200~|\u001b\[201~$/g, "").trim();
  if (text === "") throw refused("nothing was pasted");
  return new Secret(text);
}

function refused(why: string): SecretError {
  return new SecretError("ROTATION_REFUSED", why);
}
