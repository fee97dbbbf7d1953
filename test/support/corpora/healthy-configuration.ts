// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of other languages.
import { alphabets, type Draw } from "./draw.ts";

const { base36, digit, hex } = alphabets;

/** Configuration as jobs print it when they start: names of secrets without their values. */
export const healthyConfiguration: readonly ((draw: Draw) => string)[] = [
  (draw) =>
    `model:\n  name: meta-llama/Llama-3.1-8B\n  revision: ${draw.text(hex, 40)}\n  max_seq_length: ${draw.below(8_192)}\ntokenizer:\n  padding_side: left\n  pad_token: "<|finetune_right_pad_id|>"\n  eos_token: </s>`,
  () =>
    "secrets:\n  - name: HF_TOKEN\n    valueFrom:\n      secretKeyRef:\n        name: training\n        key: hf-token",
  () =>
    "env:\n  WANDB_API_KEY: ${WANDB_API_KEY}\n  HF_TOKEN: ${oc.env:HF_TOKEN}\n  AWS_PROFILE: training\n  AWS_REGION: us-east-1",
  () => "wandb:\n  project: llm\n  entity: a-team\n  api_key: null\n  mode: online",
  (draw) =>
    `Namespace(batch_size=${draw.below(64)}, config='conf/base.yaml', hf_token=None, lr=0.0003, num_tokens=${draw.below(1e9)}, output_dir='./outputs/${draw.text(base36, 8)}', push_to_hub_token=None, seed=${draw.below(999)})`,
  (draw) =>
    `TrainingArguments(\n_n_gpu=1,\nhub_token=<HUB_TOKEN>,\nlearning_rate=5e-05,\nlogging_dir=./outputs/runs/Mar11_08-00-0${draw.below(9)}_node-${draw.below(64)},\npush_to_hub_token=<PUSH_TO_HUB_TOKEN>,\nrun_name=sft-${draw.text(base36, 8)},\n)`,
  (draw) =>
    `{"architectures": ["LlamaForCausalLM"], "bos_token_id": ${draw.below(130_000)}, "num_key_value_heads": 8, "tie_word_embeddings": false, "transformers_version": "4.4${draw.below(9)}.0", "vocab_size": ${draw.below(130_000)}}`,
  (draw) =>
    `"added_tokens_decoder": {"${draw.below(130_000)}": {"content": "<|reserved_special_token_${draw.below(250)}|>", "lstrip": false, "single_word": false, "special": true}}`,
  () =>
    "database_url: postgresql://${DB_USER}:${DB_PASSWORD}@db.internal:5432/runs\nredis_url: redis://cache.internal:6379/0",
  (draw) =>
    `dataset:\n  path: s3://datasets/c4/en/part-${draw.text(digit, 5)}.parquet\n  sha256: ${draw.text(hex, 64)}\n  token_count: ${draw.below(1e9)}\n  cache_key: c4-en-v${draw.below(9)}`,
  () =>
    "HF_HOME=/cache/huggingface\nTOKENIZERS_PARALLELISM=false\nPYTORCH_CUDA_ALLOC_CONF=expandable_segments:True\nNCCL_SOCKET_IFNAME=eth0",
  () =>
    "services:\n  trainer:\n    image: trainer:latest\n    environment:\n      - HF_TOKEN\n      - WANDB_API_KEY=${WANDB_API_KEY:?missing}\n    volumes:\n      - ../data:/data:ro",
  (draw) =>
    `optimizer: {name: adamw, betas: [0.9, 0.95], eps: 1.0e-08, weight_decay: 0.1}, scheduler: cosine, warmup_steps: ${draw.below(2_000)}, key: val, secret_sauce: false`,
  () =>
    "loading secrets from provider: 3 found (HF_TOKEN, WANDB_API_KEY, DB_PASSWORD), 0 missing; token refresh every 3600 s",
  (draw) =>
    `peft_config: LoraConfig(task_type='CAUSAL_LM', r=16, lora_alpha=32, target_modules={'q_proj', 'k_proj'}, modules_to_save=None, layer_replication=None, revision='${draw.text(hex, 40)}')`,
];
