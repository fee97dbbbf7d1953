import { alphabets, type Draw, drawFrom } from "./draw.ts";
import { healthyConfiguration } from "./healthy-configuration.ts";

const { base36, base62, digit, hex } = alphabets;

/** What a generator of lines knows: the step it is at, and the time. */
interface Clock {
  step: number;
  seconds: number;
}

type Line = (draw: Draw, clock: Clock) => string;

const fixed = (value: number, digits: number) => value.toFixed(digits);
const stamp = ({ seconds }: Clock) => {
  const [day = "", time = ""] = new Date(1_740_000_000_000 + seconds * 1000)
    .toISOString()
    .split("T");
  return `${day} ${time.slice(0, 8)}`;
};
const two = (value: number) => String(value).padStart(2, "0");
const duration = (seconds: number) => `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;

/** A progress bar as tqdm draws it. */
const bar: Line = (draw, clock) => {
  const share = (clock.step % 100) / 100;
  const full = "█".repeat(Math.floor(share * 20));
  const part = draw.pick(["▏", "▎", "▍", "▌", "▋", "▊", "▉", " "]);
  const rate = `${fixed(1 + draw.unit() * 20, 2)}${draw.pick(["it/s", "s/it", "MB/s", "tok/s"])}`;
  const label = draw.pick([
    "",
    "Epoch 3: ",
    "Map: ",
    "Downloading shards: ",
    "Loading checkpoint shards: ",
    "Tokenizing (num_proc=8): ",
  ]);
  return `\r${label}${String(Math.floor(share * 100)).padStart(3)}%|${full}${part}${" ".repeat(19 - full.length)}| ${clock.step}/${clock.step + draw.below(9_000)} [${duration(clock.seconds % 3600)}<${duration(draw.below(3_600))}, ${rate}, loss=${fixed(draw.unit() * 4, 3)}]`;
};

const metrics = (draw: Draw) =>
  `{'loss': ${fixed(draw.unit() * 4, 4)}, 'grad_norm': ${fixed(draw.unit() * 2, 6)}, 'learning_rate': ${(draw.unit() * 1e-4).toExponential(6)}, 'epoch': ${fixed(draw.unit() * 3, 2)}, 'num_tokens': ${draw.below(1e9)}, 'mean_token_accuracy': ${fixed(draw.unit(), 4)}}`;

const rates: Line = (draw, clock) =>
  `${stamp(clock)} - INFO - train.loop - step ${clock.step} | loss ${fixed(draw.unit() * 4, 6)} | lr ${(draw.unit() * 1e-3).toExponential(4)} | tokens/s ${draw.below(90_000)} | mfu ${fixed(draw.unit() * 60, 2)}% | mem ${fixed(draw.unit() * 80, 2)} GiB`;

const torch: readonly Line[] = [
  (draw) =>
    `[rank${draw.below(8)}]:[W${draw.text(digit, 9)} ProcessGroupNCCL.cpp:${draw.below(5_000)}] Warning: using GPU ${draw.below(8)} to perform barrier as devices used by this process are currently unknown. (function operator())`,
  (draw) =>
    `node-${draw.below(64)}:${draw.below(90_000)}:${draw.below(90_000)} [${draw.below(8)}] NCCL INFO Channel ${two(draw.below(24))}/0 : ${draw.below(8)}[${draw.below(8)}] -> ${draw.below(8)}[${draw.below(8)}] via P2P/CUMEM/read`,
  (draw) =>
    `node-${draw.below(64)}:${draw.below(90_000)}:${draw.below(90_000)} [0] NCCL INFO ncclCommInitRank comm 0x${draw.text(hex, 12)} rank ${draw.below(64)} nranks 64 cudaDev ${draw.below(8)} nvmlDev 3 busId ${draw.text(hex, 5)} commId 0x${draw.text(hex, 16)} - Init COMPLETE`,
  (draw) =>
    `W${draw.text(digit, 4)} ${duration(draw.below(3_000))}:11.${draw.text(digit, 6)} ${draw.below(90_000)} torch/distributed/run.py:${draw.below(900)}] Setting OMP_NUM_THREADS environment variable for each process to be 1 in default, to avoid your system being overloaded`,
  (draw) =>
    `tensor([[${Array.from({ length: 6 }, () => fixed(draw.unit() * 2 - 1, 4)).join(", ")}]], device='cuda:${draw.below(8)}', grad_fn=<AddmmBackward0>)`,
  (draw) =>
    `torch.OutOfMemoryError: CUDA out of memory. Tried to allocate ${draw.below(900)}.00 MiB. GPU ${draw.below(8)} has a total capacity of 79.15 GiB of which ${draw.below(900)}.38 MiB is free. Process ${draw.below(90_000)} has ${fixed(draw.unit() * 79, 2)} GiB memory in use.`,
  (draw) =>
    `  (${draw.below(48)}): LlamaDecoderLayer((self_attn): LlamaAttention((q_proj): Linear(in_features=4096, out_features=4096, bias=False)) (mlp): LlamaMLP((act_fn): SiLU()))`,
  (draw) =>
    `DDP(module=LM(${draw.below(90_000)}), device_ids=[${draw.below(8)}], bucket_cap_mb=25, find_unused_parameters=False, static_graph=True)`,
  (draw) =>
    `V${draw.text(digit, 4)} 08:11:22.${draw.text(digit, 6)} torch/_dynamo/guards.py:2819] [${draw.below(9)}/${draw.below(9)}] [__guards] | +- KEY_MATCH: L['self'].__dict__['_modules'].keys() == ['wte', 'wpe'] # hash ${draw.text(hex, 16)}`,
  (draw) =>
    `+${"-".repeat(41)}+\n| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.${draw.below(8)} |\n|   ${draw.below(8)}  NVIDIA H100 80GB HBM3  On  | 00000000:${draw.text(hex, 2)}:00.0 Off | 0 |`,
];

const transformers: readonly Line[] = [
  (draw) => metrics(draw),
  (draw, clock) =>
    `[INFO|trainer.py:${2_000 + draw.below(900)}] ${stamp(clock)},${draw.text(digit, 3)} >> ***** Running training *****`,
  (draw, clock) =>
    `[INFO|configuration_utils.py:${draw.below(900)}] ${stamp(clock)},${draw.text(digit, 3)} >> loading configuration file config.json from cache at /root/.cache/huggingface/hub/models--meta-llama--Llama-3.1-8B/snapshots/${draw.text(hex, 40)}/config.json`,
  (draw) =>
    `Special tokens have been added in the vocabulary, make sure the associated word embeddings are fine-tuned or trained. Added tokens: ${draw.below(300)}`,
  (draw) =>
    `Token indices sequence length is longer than the specified maximum sequence length for this model (${draw.below(90_000)} > 1024). Running this sequence through the model will result in indexing errors`,
  (draw) =>
    `Setting \`pad_token_id\` to \`eos_token_id\`:${draw.below(130_000)} for open-end generation.`,
  () =>
    "Some weights of BertForSequenceClassification were not initialized from the model checkpoint at bert-base-uncased and are newly initialized: ['classifier.bias', 'classifier.weight']",
  () =>
    "/usr/local/lib/python3.11/site-packages/transformers/utils/hub.py:105: FutureWarning: Using `use_auth_token` is deprecated and will be removed in v5. Please use `token` instead.",
  (draw) =>
    `tokenizer.json: 100%|██████████| ${fixed(draw.unit() * 9, 2)}M/${fixed(9 + draw.unit(), 2)}M [00:00<00:00, ${fixed(draw.unit() * 90, 1)}MB/s]`,
  (draw) =>
    `Generate config GenerationConfig {\n  "bos_token_id": ${draw.below(130_000)},\n  "eos_token_id": [${draw.below(130_000)}, ${draw.below(130_000)}],\n  "max_new_tokens": ${draw.below(4_096)}\n}`,
  (draw) =>
    `trainable params: ${draw.text("123456789", 2)},${draw.text(digit, 3)},${draw.text(digit, 3)} || all params: 8,0${draw.text(digit, 2)},${draw.text(digit, 3)},${draw.text(digit, 3)} || trainable%: ${fixed(draw.unit(), 4)}`,
  (draw) =>
    `Saving model checkpoint to ./outputs/sft-${draw.text(base36, 8)}/checkpoint-${draw.below(90_000)}; tokenizer config file saved in ./outputs/tokenizer_config.json`,
];

const trackers: readonly Line[] = [
  () =>
    "wandb: Currently logged in as: someone (a-team) to https://api.wandb.ai. Use `wandb login --relogin` to force relogin",
  () =>
    "wandb: (1) Create a W&B account\nwandb: (2) Use an existing W&B account\nwandb: Paste an API key from your profile and hit enter, or press ctrl+c to quit:",
  () => "wandb: Appending key for api.wandb.ai to your netrc file: /root/.netrc",
  (draw) =>
    `wandb: Syncing run ${draw.pick(["fluent-sunset", "dark-forest", "glowing-lantern"])}-${draw.below(900)}`,
  (draw) => `wandb: 🚀 View run at https://wandb.ai/a-team/llm/runs/${draw.text(base36, 8)}`,
  (draw) =>
    `wandb: Find logs at: ./wandb/run-2025041${draw.below(9)}_${draw.text(digit, 6)}-${draw.text(base36, 8)}/logs`,
  (draw) =>
    `wandb:       train/loss ${Array.from({ length: 20 }, () => draw.pick(["█", "▇", "▆", "▅", "▄", "▃", "▂", "▁"])).join("")}`,
  (draw) => `wandb: \u001b[38;5;178mtrain/global_step\u001b[0m ${draw.below(90_000)}`,
  (draw) =>
    `MLflow run ${draw.text(hex, 32)} in experiment ${draw.below(900)}: logged artifact model/MLmodel`,
  (draw) =>
    `COMET INFO: Experiment is live on comet.com https://www.comet.com/team/project/${draw.text(hex, 32)}`,
  (draw) =>
    `{"_step": ${draw.below(90_000)}, "_timestamp": 17${draw.text(digit, 8)}.${draw.text(digit, 7)}, "train/loss": ${draw.unit()}, "system/gpu.0.temp": ${draw.below(90)}}`,
];

const modal: readonly Line[] = [
  (draw) =>
    `✓ Created objects.\n├── 🔨 Created mount /root/train.py\n├── 🔨 Created function train.\n└── 🔨 Created volume vo-${draw.text(base62, 22)}`,
  (draw) =>
    `\u001b[32m✓\u001b[0m Initialized. \u001b[38;5;241mView run at https://modal.com/apps/a-team/main/ap-${draw.text(base62, 22)}\u001b[0m`,
  (draw) =>
    `Task ta-${draw.text(base62, 22)} of function fu-${draw.text(base62, 22)} started on im-${draw.text(base62, 22)}`,
  () =>
    "modal.exception.AuthError: Token missing. Could not authenticate client. If you have token credentials, see modal.com/docs/reference/modal.config for setup help. If you are a new user, register an account at modal.com, then run `modal token new`.",
  (draw) =>
    `MODAL_TASK_ID=ta-${draw.text(base62, 22)}\nMODAL_ENVIRONMENT=main\nMODAL_CLOUD_PROVIDER=CLOUD_PROVIDER_AWS\nMODAL_REGION=us-east-${draw.below(3)}`,
  () =>
    "Stopping app - local entrypoint completed.\n✓ App completed. View run at https://modal.com/apps/a-team/main",
  (draw) =>
    `Runner interrupted due to worker preemption. Your Function will be restarted with the same input in-${draw.text(base62, 22)}:17${draw.text(digit, 8)}-0`,
];

const tracebacks: readonly Line[] = [
  (draw) =>
    `Traceback (most recent call last):\n  File "/root/../train.py", line ${draw.below(900)}, in <module>\n    trainer.train(resume_from_checkpoint=args.resume)\n  File "/usr/lib/python3.11/site-packages/trainer.py", line ${draw.below(3_000)}, in train\n    return inner_training_loop(\n           ^^^^^^^^^^^^^^^^^^^^\nKeyError: 'token_type_ids'`,
  (draw) =>
    `  File "/opt/venv/lib/python3.11/site-packages/huggingface_hub/utils/_http.py", line ${draw.below(900)}, in hf_raise_for_status\n    raise _format(GatedRepoError, message, response) from e`,
  (draw) =>
    `huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-${draw.text(hex, 8)}-${draw.text(hex, 24)};${draw.text(hex, 8)}-${draw.text(hex, 4)}-${draw.text(hex, 4)}-${draw.text(hex, 4)}-${draw.text(hex, 12)})\nCannot access gated repo for url https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/main/config.json.\nAccess to this model is restricted. You must have access to it and be authenticated to access it. Please log in.`,
  () => "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
  () =>
    "botocore.exceptions.ClientError: An error occurred (InvalidAccessKeyId) when calling the ListObjectsV2 operation: The AWS Access Key Id you provided does not exist in our records.",
  () =>
    "openai.AuthenticationError: Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-****abcd. You can find your API key at https://platform.openai.com/account/api-keys.', 'type': 'invalid_request_error', 'param': None, 'code': 'invalid_api_key'}}",
  (draw) =>
    `RuntimeError: CUDA error: device-side assert triggered\n../aten/src/ATen/native/cuda/Indexing.cu:${draw.below(1_500)}: indexSelectLargeIndex: block: [${draw.below(99)},0,0], thread: [${draw.below(99)},0,0] Assertion \`srcIndex < srcSelectDimSize\` failed.`,
  (draw) =>
    `pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\nhf_token\n  Field required [type=missing, input_value={'epochs': ${draw.below(9)}}, input_type=dict]`,
  (draw) =>
    `  os.system(f"cp -r {src} {dst}")  # line ${draw.below(900)}; password_hash = hash_password(password)`,
  () => '    token = os.environ["HF_TOKEN"]\n    login(token=token, add_to_git_credential=False)',
  () =>
    "    client = OpenAI(api_key=settings.openai_api_key.get_secret_value(), base_url=settings.base_url)",
];

const jsonLogs: readonly Line[] = [
  (draw, { step, seconds }) =>
    JSON.stringify({
      level: "info",
      ts: 1_740_000_000 + seconds,
      caller: "trainer/loop.go:112",
      msg: "step finished",
      step,
      loss: draw.unit(),
      trace_id: draw.text(hex, 32),
      span_id: draw.text(hex, 16),
    }),
  (draw, { seconds }) =>
    JSON.stringify({
      time: 1_740_000_000 + seconds,
      severity: "INFO",
      "logging.googleapis.com/trace": `projects/train/traces/${draw.text(hex, 32)}`,
      message: "checkpoint uploaded",
      path: `gs://runs/${draw.text(base36, 12)}/ckpt-${draw.below(9_999)}.pt`,
      sha256: draw.text(hex, 64),
    }),
  (draw) =>
    JSON.stringify({
      prompt_tokens: draw.below(4_000),
      completion_tokens: draw.below(900),
      finish_reason: "stop",
      model: "llama-3.1-8b",
      id: `chatcmpl-${draw.text(base62, 29)}`,
      system_fingerprint: `fp_${draw.text(hex, 10)}`,
    }),
  (draw) =>
    JSON.stringify({
      event: "request",
      method: "POST",
      url: "/v1/tokenize",
      status: 200,
      request_id: `req_${draw.text(hex, 32)}`,
      user_agent: "python-httpx/0.27.0",
      duration_ms: draw.below(900),
    }),
  (draw) =>
    `[${draw.below(90_000)}.${draw.text(digit, 6)}] {"key":"train/loss","value":${draw.unit()},"etag":"\\"${draw.text(hex, 32)}\\""}`,
];

const schedulers: readonly Line[] = [
  (draw) =>
    `slurmstepd: error: *** JOB ${draw.below(9e6)} ON node-${draw.below(512)} CANCELLED AT 2025-03-1${draw.below(9)}T08:00:0${draw.below(9)} DUE TO TIME LIMIT ***`,
  (draw) =>
    `srun: job ${draw.below(9e6)} queued and waiting for resources; SLURM_JOB_ID=${draw.below(9e6)} SLURM_STEP_NODELIST=node-[${two(draw.below(60))}-63]`,
  (draw) =>
    `NAME                 READY   STATUS    RESTARTS   AGE\ntrainer-${draw.text(base36, 10)}-${draw.text(base36, 5)}   1/1     Running   ${draw.below(9)}          ${draw.below(60)}m`,
  (draw) =>
    `[2025-03-11 08:0${draw.below(9)}:11,${draw.text(digit, 3)}][hydra.utils][INFO] - Instantiating callback <lightning.pytorch.callbacks.ModelCheckpoint>`,
  (draw) =>
    `[2025-03-11 08:0${draw.below(9)}:12,${draw.text(digit, 3)}][HYDRA] Launching ${draw.below(9)} jobs locally; #${draw.below(9)} : optimizer.lr=0.00${draw.below(9)} model=base seed=${draw.below(9_999)}`,
  (draw) =>
    `(RayTrainWorker pid=${draw.below(90_000)}, ip=10.0.${draw.below(255)}.${draw.below(255)}) [rank=${draw.below(64)}] actor ${draw.text(hex, 32)} checkpoint=Checkpoint(filesystem=s3, path=runs/${draw.text(hex, 8)})`,
  (draw) =>
    `INFO ${draw.text(digit, 2)}-11 08:00:0${draw.below(9)} metrics.py:${draw.below(900)}] Avg prompt throughput: ${fixed(draw.unit() * 9_000, 1)} tokens/s, Avg generation throughput: ${fixed(draw.unit() * 900, 1)} tokens/s, GPU KV cache usage: ${fixed(draw.unit() * 99, 1)}%`,
  (draw) =>
    `Collecting torch==2.${draw.below(9)}.0\n  Downloading torch-2.${draw.below(9)}.0-cp311-cp311-manylinux1_x86_64.whl (797.3 MB)\n     ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 797.3/797.3 MB 4.1 MB/s eta 0:00:00\n  sha256=${draw.text(hex, 64)}`,
  (draw) =>
    `#${draw.below(30)} [stage-1 4/9] RUN pip install -r ../requirements.txt && rm -rf /root/.cache\n#${draw.below(30)} sha256:${draw.text(hex, 64)} ${fixed(draw.unit() * 9, 2)}MB / 9.01MB 0.${draw.below(9)}s`,
  (draw) =>
    `remote: Counting objects: 100% (${draw.below(999)}/${draw.below(999)}), done.\n   ${draw.text(hex, 7)}..${draw.text(hex, 7)}  main -> main\nHEAD is now at ${draw.text(hex, 40)}`,
];

/** The kinds of output and how much of it each is. */
const kinds: readonly (readonly [share: number, lines: readonly Line[]])[] = [
  [0.22, [bar]],
  [0.16, [rates]],
  [0.12, torch],
  [0.12, transformers],
  [0.1, trackers],
  [0.04, modal],
  [0.06, tracebacks],
  [0.08, jsonLogs],
  [0.05, schedulers],
  [0.05, healthyConfiguration],
];

function oneOf(draw: Draw): Line {
  let rest = draw.unit();
  for (const [share, lines] of kinds) {
    rest -= share;
    if (rest < 0) return draw.pick(lines);
  }
  return rates;
}

/** Output of training jobs in which nothing is secret: at least `count` lines. Own text throughout. */
export function healthyOutput(count: number, seed = 1): string[] {
  const draw = drawFrom(seed);
  const clock: Clock = { step: 0, seconds: 0 };
  const lines: string[] = [];
  while (lines.length < count) {
    clock.step++;
    clock.seconds += draw.below(3);
    lines.push(...oneOf(draw)(draw, clock).split("\n"));
  }
  return lines;
}
