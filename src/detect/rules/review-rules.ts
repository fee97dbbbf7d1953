import type { Rule, RulePack, Step } from "./rule.ts";

const space: Step = { chars: " \t", max: 8 };
const quote: Step = { chars: "\"'", min: 1, max: 1 };
const inText: Step = { chars: "^\"'`\n{$", max: 200 };
const shellCalls =
  "os.system( os.popen( commands.getoutput( subprocess.run( subprocess.call( subprocess.Popen( subprocess.check_output( subprocess.check_call( subprocess.getoutput( child_process.exec( child_process.execSync( child_process.spawn( execSync( popen( system(".split(
    " ",
  );
const fileCalls =
  "open Path PosixPath load read_text read_bytes read_csv read_json read_parquet load_dataset copy copyfile copytree move remove unlink rmtree send_file extract extractall fopen".split(
    " ",
  );

/** Text that a person should look at, where it is more than a word or a sign. */
const rules: readonly Rule[] = [
  {
    id: "shell-injection",
    title: "text with something inserted reaches a shell",
    detector: "shell-injection",
    does: "report",
    keywords: shellCalls,
    shapes: [
      [space, { text: ["f", "F"] }, quote, inText, { text: "{" }],
      [space, quote, inText, quote, space, { text: ["+", "%", ".format("] }],
      [
        space,
        quote,
        inText,
        { text: "{" },
        { chars: "^\"'\n", max: 200 },
        quote,
        { text: ".format(" },
      ],
      [space, { text: "`" }, inText, { text: "${" }],
      [
        space,
        { chars: "A-Za-z_", min: 1, max: 1 },
        { chars: "A-Za-z0-9_.", max: 64 },
        space,
        { text: "+" },
      ],
    ],
    confidence: "heuristic",
    good: [
      'os.system(f"rm -rf {user_input}")',
      "subprocess.run('rm ' + {a-z*4})",
      "os.popen(cmd + x)",
    ],
    bad: ['subprocess.run(["rm", "-rf", safe_path])', "os.system('{a-z*8}')", "ecosystem(x + 1)"],
  },
  {
    id: "shell-option",
    title: "a program is started through a shell",
    detector: "shell-injection",
    does: "report",
    keywords: [
      "subprocess.run(",
      "subprocess.call(",
      "subprocess.Popen(",
      "subprocess.check_output(",
      "subprocess.check_call(",
    ],
    // Not where one fixed text is run, and not what the rule before finds.
    shapes: [
      [
        space,
        { chars: "A-Za-z_", min: 1, max: 1 },
        { chars: "A-Za-z0-9_.", max: 64 },
        space,
        { chars: "^+\"'`\n\r", min: 1, max: 1 },
        { chars: "^\n\r", max: 240 },
      ],
      [space, quote, inText, quote, { text: "." }, { chars: "^\n\r", max: 240 }],
    ],
    checks: [{ contains: "shell=True" }],
    confidence: "heuristic",
    good: ["subprocess.run({a-z*4}, shell=True)"],
    bad: [
      "subprocess.run({a-z*4}, shell=False)",
      "subprocess.run({a-z*14})",
      "subprocess.run('{a-z*8}', shell=True)",
    ],
  },
  {
    id: "path-traversal",
    title: "a file is used by a path that leads up by two folders or more",
    detector: "path-traversal",
    does: "report",
    keywords: ["../../", "..\\..\\", "..\\\\..\\\\", "../.env", "../id_rsa"],
    left: "any",
    onlyAfter: [
      ...fileCalls.flatMap((call) => [`${call}("`.slice(-16), `${call}('`.slice(-16)]),
      ...["cat", "cp", "mv", "rm", "ln", "rf", "tar", "open"].flatMap((word) =>
        [" ", "\n", "\r"].map((before) => before + word),
      ),
      ...["loading", "reading", "copying", "removing", "extracting"],
    ],
    shapes: [[{ chars: "^\u0000-\u0020\"'()", max: 200 }]],
    confidence: "heuristic",
    good: ['open("../../etc/passwd")', "torch.load('../../{a-z*5}.pt')", "$ cat ../../{a-z*4}"],
    bad: [
      'File "../../{a-z*4}.py", line 3',
      "pip install -r ../{a-z*5}",
      "  at ../../{a-z*4}.js:3",
    ],
  },
  {
    id: "sensitive-path",
    title: "a path that leads up and to where credentials are",
    detector: "path-traversal",
    does: "report",
    keywords:
      "../etc/passwd ../etc/shadow ../.ssh/ ../.aws/ ../.kube/ ../.modal.toml ../.netrc ../root/ ../proc/".split(
        " ",
      ),
    left: "any",
    shapes: [[{ chars: "^\u0000-\u0020\"'()", max: 200 }]],
    confidence: "heuristic",
    good: ["../../etc/passwd", "../.ssh/id_{a-z*3}"],
    bad: ["/etc/passwd", "../{a-z*4}/x"],
  },
  {
    id: "encoded-path",
    title: "a percent-encoded path that leads up",
    detector: "path-traversal",
    does: "report",
    keywords: ["%2e%2e%2f", "%2e%2e/", "..%2f", "..%5c", "%2e%2e%5c"],
    ignoreCase: true,
    left: "any",
    shapes: [[{ chars: "^\u0000-\u0020\"'()", max: 200 }]],
    confidence: "heuristic",
    good: ["GET /x?f=%2e%2e%2f{a-z*3}", "..%2F{a-z*3}"],
    bad: ["100%2e2", "a..b%20"],
  },
];

/** Not part of `default`, since nothing of it is masked: launches add it for their monitor. */
export const reviewRules: RulePack = { name: "review", rules };
