// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of other languages.
import { alphabets, type Draw } from "./draw.ts";

const { base36, base62, base64, base64url, digit, hex, letters, lower, upper } = alphabets;

const uuid = (d: Draw) => [8, 4, 4, 4, 12].map((length) => d.text(hex, length)).join("-");
const word = (d: Draw) =>
  d.pick(
    "model shard layer cosine adapter tokenizer encoder warmup bucket prefix vision base large".split(
      " ",
    ),
  );
const words = (d: Draw, count: number, by: string) =>
  Array.from({ length: count }, () => word(d)).join(by);

/** Text that looks like a credential and is none; each line names its own reason by its shape. */
export const hardNegatives: readonly ((draw: Draw) => string)[] = [
  (d) => `commit ${d.text(hex, 40)}`,
  (d) => `HEAD is now at ${d.text(hex, 7)} ${words(d, 3, " ")}`,
  (d) => `sha256:${d.text(hex, 64)}`,
  (d) => `${d.text(hex, 64)}  ${word(d)}-0000${d.below(9)}-of-00008.safetensors`,
  (d) => `md5sum ${d.text(hex, 32)} OK`,
  (d) => `ETag: "${d.text(hex, 32)}-${d.below(90)}"`,
  (d) => `run_id=${uuid(d)} trace_id=${d.text(hex, 32)} span_id=${d.text(hex, 16)}`,
  (d) => `"requestId": "${uuid(d)}",`,
  (d) => `"integrity": "sha512-${d.text(base64, 86)}==",`,
  (d) => `data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA${d.text(base64, 200)}==`,
  (d) => `"image/png": "iVBORw0KGgo${d.text(base64, 300)}=",`,
  (d) =>
    `pad_token = "<|endoftext|>"; bos_token=${d.pick(["<s>", "[CLS]", "<bos>"])}, eos_token="</s>"`,
  (d) => `tokenizer.pad_token = tokenizer.eos_token # ${d.below(50_000)}`,
  (d) =>
    `max_tokens: ${d.below(9_000)}, num_tokens=${d.below(1e9)}, tokens_per_second: ${d.below(90_000)}.${d.below(99)}`,
  (d) =>
    `{"prompt_tokens": ${d.below(9_000)}, "completion_tokens": ${d.below(900)}, "total_tokens": ${d.below(99_000)}}`,
  (d) => `special_tokens_map_file: /data/${word(d)}/special_tokens_map.json`,
  (d) => `tokenizer_name: meta-llama/Llama-3.${d.below(9)}-8B-Instruct`,
  (d) =>
    `token_type_ids=tensor([[${d.below(2)}, 0, 0, 1]]), token_classification_${word(d)}_v${d.below(9)}`,
  (d) => `Modal app ap-${d.text(base62, 22)} function fu-${d.text(base62, 22)}`,
  (d) => `MODAL_TASK_ID=ta-${d.text(base62, 22)} MODAL_IMAGE_ID=im-${d.text(base62, 22)}`,
  (d) =>
    `sandbox sb-${d.text(base62, 22)} input in-${d.text(base62, 22)} volume vo-${d.text(base62, 22)}`,
  (d) => `View run at https://wandb.ai/${word(d)}/${word(d)}/runs/${d.text(base36, 8)}`,
  (d) => `https://modal.com/apps/${word(d)}/main/deployed/ap-${d.text(base62, 22)}`,
  () => "HF_TOKEN=<your token here>",
  () => "export WANDB_API_KEY=your-wandb-api-key-here",
  () => "api_key = os.environ.get('API_KEY')",
  () => 'token = os.getenv("HF_TOKEN", None)',
  () => "password: ${DB_PASSWORD}",
  () => "DATABASE_URL=postgresql://$USER:$PASSWORD@$HOST:5432/$DB",
  () => "  api_key: ${{ secrets.WANDB_API_KEY }}",
  () => "secret: {{ vault('training/secret') }}",
  () => "Please set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, or run `modal token new`",
  () => "ValueError: You must set the OPENAI_API_KEY environment variable.",
  (d) => `sk-learn-${words(d, 4, "-")}-${d.below(9)}`,
  (d) => `task-${d.text(base36, 26)} desk-${d.text(base36, 30)}`,
  (d) => `mask-${d.below(900)} risk-${words(d, 3, "-")} disk-${d.text(digit, 20)}`,
  (d) => `hf_${words(d, 6, "_")} hf_hub_download hf_raise_for_status`,
  (d) => `npm_config_${words(d, 4, "_")}=true npm_package_version`,
  (d) => `ghp_${"x".repeat(10 + d.below(3))}`,
  (d) =>
    `torch.Size([${d.below(900)}, ${d.below(900)}]) dtype=torch.bfloat16 device='cuda:${d.below(8)}'`,
  (d) =>
    `File "/usr/lib/python3.11/site-packages/${word(d)}/secrets.py", line ${d.below(900)}, in token_bytes`,
  (d) => `aws s3 cp s3://${word(d)}-${word(d)}/${d.text(hex, 32)}/part-${d.below(99)}.parquet .`,
  (d) =>
    `arn:aws:secretsmanager:us-east-1:${d.text(digit, 12)}:secret:${word(d)}-${d.text(letters, 6)}`,
  (d) => `modal.Secret.from_name("${words(d, 2, "-")}")`,
  (d) => `key: value pairs ${words(d, 5, " ")}, key_dim=${d.below(512)}, n_keys: ${d.below(99)}`,
  (d) => `state_dict key: transformer.h.${d.below(48)}.attn.c_attn.weight missing`,
  (d) => `Missing key(s) in state_dict: "model.layers.${d.below(48)}.self_attn.k_proj.weight"`,
  (d) => `primary_key: ${words(d, 3, "_")}_id  sort_key=${words(d, 2, "_")}_timestamp_ms`,
  (d) => `"cache_key": "${words(d, 4, "-")}-v${d.below(9)}"`,
  (d) => `public_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${d.text(base64, 43)} robot@host`,
  (d) => `Fingerprint: SHA256:${d.text(base64, 43)}`,
  (d) =>
    `-----BEGIN CERTIFICATE-----\n${d.text(base64, 64)}\n${d.text(base64, 64)}\n-----END CERTIFICATE-----`,
  (d) => `-----BEGIN PUBLIC KEY-----\n${d.text(base64, 64)}\n-----END PUBLIC KEY-----`,
  (d) => `tmp file /tmp/${d.text(base36, 16)}/${d.text(lower, 8)}_${d.text(base36, 24)}.tmp`,
  (d) => `docker.io/library/${word(d)}@sha256:${d.text(hex, 64)}`,
  (d) => `Successfully built ${d.text(hex, 12)}; layer ${d.text(hex, 64)}`,
  (d) => `http://localhost:${8_000 + d.below(999)}/v1/tokens?limit=${d.below(99)}`,
  (d) => `user@host:/data/${words(d, 2, "/")} scp://host:22/path@v${d.below(9)}`,
  (d) => `pip install git+https://github.com/${word(d)}/${word(d)}.git@${d.text(hex, 40)}`,
  (d) => `"checksum": "${d.text(base64url, 43)}", "digest": "${d.text(hex, 64)}"`,
  (d) =>
    `seed=${d.text(digit, 10)} step=${d.below(1e6)} tokens=${d.below(1e9)} password_loss=0.0${d.below(99)}`,
  (d) => `ServiceAccount: ${words(d, 2, "-")}@${word(d)}.iam.gserviceaccount.com`,
  (d) => `"private_key_id": "${d.text(hex, 40)}"`,
  (d) =>
    `${d.text(upper, 3)}${d.text(digit, 9)}  ACCESSION ${d.text(upper, 20)} ${d.text("ACGT", 80)}`,
  (d) => `vocab[${d.below(50_000)}] = "${d.pick(["▁token", "Ġsecret", "##key", "password"])}"`,
  (d) => `Bearer of ${words(d, 6, " ")}; Authorization: required; basic ${words(d, 4, "-")}`,
  (d) => `aws_access_key_id and aws_secret_access_key were not found (profile ${word(d)})`,
  (d) => `token: str = Field(...), api_key: Optional[str] = None, password: SecretStr # ${word(d)}`,
  (d) => `self.token_embedding = nn.Embedding(${d.below(50_000)}, ${d.below(4_096)})`,
  (d) => `secret_santa=${words(d, 3, "_")} keyboard_layout: dvorak-international-${d.below(9)}`,
  (d) => `password = getpass.getpass("Password for ${word(d)}: ")`,
  (d) => `Enter password for ${word(d)}@host: ********`,
  (d) => `key=lambda kv: kv[1], key_padding_mask=None, attention_mask_key='mask_${d.below(99)}'`,
  (d) => `nccl unique id token ${d.below(9e8)}; rendezvous key /rdzv/${d.text(digit, 10)}`,
  (d) => `ws-${words(d, 3, "-")} wk-${word(d)} as-${words(d, 3, "-")} ak-${d.text(lower, 22)}`,
  // Names of code and words of vocabularies that hold a number.
  () => '{"token":"MediaWiki1.35","logprob":-0.12}',
  (d) => `token: '${d.pick(["Qwen2ForCausalLM", "Python3Interpreter", "getElementById2"])}'`,
  (d) => `token='LlamaTokenizer${d.below(9)}', token: "Wav2Vec2ForSequenceClassification"`,
  (d) => `generated token: '${d.pick(["Ġtransformer2017Attention", "Ġparallelization2"])}'`,
  (d) => `token: "▁Antidisestablishmentarianism${d.below(99)}"`,
  () => "private_key: rsa.RSAPrivateKey2048 = load_key(path)",
  (d) => `accessToken: AccessTokenResponse${d.below(9)} = await x`,
  () => "let token: CancellationToken2021 = x; token: CancellationTokenSource2,",
  () => "def f(token: Token2Type, password: Str50Type)",
  () => "access_token=AutoTokenFetcher2024Provider",
  () => "password=ForgotPasswordForm2Component",
];
