/** Names of the files of a PEFT adapter. */
export const peftFiles = {
  configuration: 'adapter_config.json',
  tensors: 'adapter_model.safetensors',
  /** The older form, a Python pickle. */
  pickle: 'adapter_model.bin',
} as const;

/** Name of the tensor, [virtual tokens, d]. */
export const promptEmbeddings = 'prompt_embeddings';

/** PEFT's `TaskType`s. */
export const peftTaskTypes = [
  'SEQ_CLS',
  'SEQ_2_SEQ_LM',
  'CAUSAL_LM',
  'TOKEN_CLS',
  'QUESTION_ANS',
  'FEATURE_EXTRACTION',
] as const;

/** Task types of PEFT (`TaskType`). */
export type PeftTaskType = (typeof peftTaskTypes)[number];

/** PEFT's `PromptTuningConfig` as it stands in `adapter_config.json`; keys are sorted there. */
export interface PeftPromptTuning {
  readonly auto_mapping: null;
  readonly base_model_name_or_path: string;
  readonly inference_mode: true;
  /** `null`: PEFT takes the number from the model's own configuration; prompts do not depend on it. */
  readonly num_attention_heads: null;
  /** As `num_attention_heads`. */
  readonly num_layers: null;
  readonly num_transformer_submodules: 1;
  readonly num_virtual_tokens: number;
  readonly peft_type: 'PROMPT_TUNING';
  readonly prompt_tuning_init: 'RANDOM';
  readonly prompt_tuning_init_text: null;
  readonly revision: null;
  readonly task_type: PeftTaskType | null;
  readonly token_dim: number;
  readonly tokenizer_kwargs: null;
  readonly tokenizer_name_or_path: null;
}
