// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of other languages.
import { alphabets, type Draw } from "./draw.ts";

const { base36, base62, base64, base64url, digit, hex, lower, upperNumeric } = alphabets;

const uuid = (d: Draw) => [8, 4, 4, 4, 12].map((length) => d.text(hex, length)).join("-");
const name = (d: Draw) =>
  d.pick(
    "numpy torch flash_attn nvidia_cublas_cu12 tokenizers safetensors secretstorage keyring passlib python_dotenv pyjwt oauthlib".split(
      " ",
    ),
  );
const version = (d: Draw) => `${d.below(9)}.${d.below(40)}.${d.below(20)}`;
const number = (d: Draw) => `${d.below(9)}.${d.text(digit, 4)}`;
const clock = (d: Draw) =>
  `2026-0${1 + d.below(9)}-1${d.below(9)}T0${d.below(9)}:${10 + d.below(49)}:${10 + d.below(49)}.${d.text(digit, 6)}Z`;

/** Lines of the tools around a training job, in which nothing is secret: each generator is one shape. */
export const toolOutput: readonly ((draw: Draw) => string)[] = [
  // Installers: wheels, their hashes, conda builds.
  (d) =>
    `  Downloading ${name(d)}-${version(d)}-cp311-cp311-manylinux_2_17_x86_64.whl (${d.below(900)}.${d.below(9)} MB)`,
  (d) =>
    `${name(d)}==${version(d)} --hash=sha256:${d.text(hex, 64)} --hash=sha256:${d.text(hex, 64)}`,
  (d) =>
    `https://files.pythonhosted.org/packages/${d.text(hex, 2)}/${d.text(hex, 2)}/${d.text(hex, 60)}/${name(d)}-${version(d)}.tar.gz#sha256=${d.text(hex, 64)}`,
  (d) =>
    `${name(d)}-${version(d)}.dist-info/RECORD,sha256=${d.text(base64url, 43)},${d.below(9e5)}`,
  (d) =>
    `  + ${name(d)}    ${version(d)}  py311h${d.text(hex, 7)}_${d.below(9)}  conda-forge/linux-64`,
  (d) =>
    `Requirement already satisfied: ${name(d)}<${d.below(9)},>=${version(d)} (from -r requirements.txt (line ${d.below(90)}))`,
  // Images and repositories.
  (d) => `${d.text(hex, 12)}: Pull complete; Digest: sha256:${d.text(hex, 64)}`,
  (d) =>
    `#${d.below(40)} sha256:${d.text(hex, 64)} ${d.below(90)}.${d.below(90)}MB / 812.47MB 3.1s`,
  (d) => `FROM nvcr.io/nvidia/pytorch:24.0${d.below(9)}-py3@sha256:${d.text(hex, 64)}`,
  (d) => `${d.text(hex, 40)} refs/heads/token-${name(d)}-auth`,
  (d) => `index ${d.text(hex, 7)}..${d.text(hex, 7)} 100644 --- a/src/secret_manager.py`,
  (d) =>
    `version https://git-lfs.github.com/spec/v1 oid sha256:${d.text(hex, 64)} size ${d.below(9e9)}`,
  (d) => `"_commit_hash": "${d.text(hex, 40)}", "transformers_version": "4.${d.below(60)}.0",`,
  // Checkpoints, caches, data.
  (d) =>
    `Saving model checkpoint to /mnt/ckpt/run-${d.text(base36, 8)}/checkpoint-${d.below(90_000)}`,
  (d) => `epoch=${d.below(90)}-step=${d.below(90_000)}-val_loss=${number(d)}-v${d.below(9)}.ckpt`,
  (d) => `global_step${d.below(90_000)}/zero_pp_rank_${d.below(64)}_mp_rank_00_optim_states.pt`,
  (d) => `/root/.cache/huggingface/hub/models--meta-llama--Llama-3.1-8B/blobs/${d.text(hex, 64)}`,
  (d) => `s3://ml-${name(d)}-eu/datasets/${d.text(hex, 32)}/shard-${d.text(digit, 6)}.tar`,
  (d) =>
    `gs://bucket/${uuid(d)}/events.out.tfevents.${d.text(digit, 10)}.node-${d.below(99)}.${d.below(9e4)}.0`,
  (d) =>
    `Using cached tokenized dataset at cache-${d.text(hex, 16)}_00${d.below(99)}_of_00128.arrow`,
  // Trainers and launchers.
  (d) =>
    `{'loss': ${number(d)}, 'grad_norm': ${number(d)}, 'learning_rate': ${d.below(9)}.${d.text(digit, 15)}e-05, 'epoch': ${number(d)}}`,
  (d) =>
    `[${clock(d)}] [INFO] [logging.py:96:log_dist] [Rank ${d.below(64)}] step=${d.below(9e4)}, skipped=0, lr=[${number(d)}e-06], mom=[(0.9, 0.95)]`,
  (d) =>
    `Epoch ${d.below(9)}:  ${d.below(99)}%|██▍       | ${d.below(900)}/1213 [0${d.below(9)}:12<1:02:55,  ${number(d)}it/s, v_num=${d.text(base36, 4)}, tokens/s=${d.below(9e5)}]`,
  (d) =>
    `wandb: ⭐️ View project at https://wandb.ai/team-${name(d)}/secret-weapon/runs/${d.text(base36, 8)}`,
  (d) =>
    `wandb: Synced 5 W&B file(s), ${d.below(9)} media file(s), ${d.below(9)} artifact file(s); run id: ${d.text(base36, 8)}`,
  (d) =>
    `  | Name            | Type                 | Params | ${d.below(9)} | token_embedding | Embedding | ${number(d)} M`,
  (d) =>
    `torchrun --rdzv_id=${d.text(digit, 9)} --rdzv_backend=c10d --rdzv_endpoint=node-${d.below(99)}:29500 train.py --tokenizer_name gpt2`,
  (d) =>
    `NCCL INFO comm 0x${d.text(hex, 12)} rank ${d.below(64)} commId 0x${d.text(hex, 16)} - Init COMPLETE`,
  (d) => `CUDA_VISIBLE_DEVICES=GPU-${uuid(d)},GPU-${uuid(d)}`,
  // Requests, traces, JSON.
  (d) =>
    `{"time":"${clock(d)}","level":"info","trace_id":"${d.text(hex, 32)}","span_id":"${d.text(hex, 16)}","request_id":"req_${d.text(base62, 24)}"}`,
  (d) =>
    `HTTP/2 200 etag: W/"${d.text(base64url, 27)}" x-request-id: ${uuid(d)} cf-ray: ${d.text(hex, 16)}-FRA`,
  (d) => `x-amz-id-2: ${d.text(base64, 75)}= x-amz-request-id: ${d.text(upperNumeric, 16)}`,
  (d) =>
    `{"id":"chatcmpl-${d.text(base62, 29)}","object":"chat.completion","system_fingerprint":"fp_${d.text(hex, 10)}"}`,
  (d) =>
    `"usage": {"input_tokens": ${d.below(9_000)}, "cache_read_input_tokens": ${d.below(9_000)}}, "id": "msg_${d.text(base62, 24)}"`,
  (d) => `traceparent: 00-${d.text(hex, 32)}-${d.text(hex, 16)}-01`,
  // Configuration: names of secrets, and references to them.
  (d) => `      secretKeyRef: {name: ${name(d).replaceAll("_", "-")}-credentials, key: token}`,
  () => "  - name: HF_TOKEN\n    valueFrom:\n      secretKeyRef:\n        name: hf-token-secret-v2",
  () =>
    "    secrets:\n      HF_TOKEN: ${{ secrets.HF_TOKEN }}\n      WANDB_API_KEY: ${{ secrets.WANDB_API_KEY_PROD }}",
  (d) =>
    `tokenizer: {type: sentencepiece, path: /data/${name(d)}/tokenizer.model, pad_token_id: ${d.below(99)}}`,
  () => "api_key_env: OPENAI_API_KEY  # where the key is, not what it is",
  (d) => `password_file: /run/secrets/${name(d)}_password`,
  (d) => `checksum/secret: ${d.text(hex, 64)}`,
  (d) => `kms_key_id: arn:aws:kms:eu-west-1:${d.text(digit, 12)}:key/${uuid(d)}`,
  // Code and its failures.
  (d) =>
    `  File "/opt/conda/lib/python3.11/site-packages/${name(d)}/token_auth.py", line ${d.below(900)}, in get_access_token`,
  (d) =>
    `    token=self._get_token(refresh=True, key_id=${d.below(9)}),  # <ipython-input-${d.below(99)}-${d.text(hex, 12)}>`,
  (d) => `KeyError: 'model.layers.${d.below(40)}.self_attn.q_proj.lora_A.default.weight'`,
  (d) =>
    `RuntimeError: secret ${d.pick(["hf-token", "wandb-secret", "aws-prod"])} not found in environment main (id st-${d.text(base62, 22)})`,
  (d) => `<object at 0x7f${d.text(hex, 10)}> key=<function <lambda> at 0x7f${d.text(hex, 10)}>`,
  // Notebooks.
  (d) => `     "image/png": "iVBORw0KGgoAAAANSUhEUgAA${d.text(base64, 400)}\\n",`,
  (d) => `   "id": "${d.text(hex, 8)}", "cell_type": "code", "execution_count": ${d.below(99)},`,
  (d) => `<img src="data:image/jpeg;base64,/9j/4AAQSkZJRgABAQ${d.text(base64, 240)}/9k="/>`,
  (d) =>
    `  "nbformat_key": "${d.text(lower, 12)}", "widgets": {"state": {"${d.text(hex, 32)}": {"model_name": "HTMLModel"}}}`,
];
