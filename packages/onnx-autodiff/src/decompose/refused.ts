/** Operators that exports hold, that no gradient passes through, and why. */
export const REFUSED: Readonly<Record<string, string>> = {
  ...reasons('its rows are packed without padding, which only exports for GPUs do', [
    'com.microsoft.PackedAttention',
    'com.microsoft.PackedMultiHeadAttention',
    'com.microsoft.RemovePadding',
    'com.microsoft.RestorePadding',
  ]),
  ...reasons('it decodes one token with a cache, which training does not', [
    'com.microsoft.DecoderAttention',
    'com.microsoft.DecoderMaskedMultiHeadAttention',
    'com.microsoft.DecoderMaskedSelfAttention',
    'com.microsoft.PagedAttention',
  ]),
  ...reasons('its attention is sparse', [
    'com.microsoft.SparseAttention',
    'com.microsoft.LongformerAttention',
  ]),
  ...reasons('its bias is gated by the activations (WavLM)', ['com.microsoft.GatedRelativePositionBias']),
  ...reasons('it is a recurrence over the tokens', [
    'com.microsoft.LinearAttention',
    'com.microsoft.CausalConvWithState',
    ...['LSTM', 'GRU', 'RNN'],
  ]),
  ...reasons('it repeats a subgraph', ['Loop', 'Scan']),
  ...reasons('it routes tokens to experts', ['com.microsoft.MoE', 'com.microsoft.QMoE']),
  If: 'its condition is not known before the model runs; where an input decides it, give that input as a constant',
};

function reasons(reason: string, operators: readonly string[]): Record<string, string> {
  return Object.fromEntries(operators.map((operator) => [operator, reason]));
}
