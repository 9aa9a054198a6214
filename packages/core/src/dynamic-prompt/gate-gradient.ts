/**
 * Limits dL/dγ of inactive tokens to the largest magnitude that an active token of the batch has, [B, l]:
 *
 * ```
 * c = max |dL/dγ_i| over γ_i = 1,      dL/dγ_i ← min(c, max(−c, dL/dγ_i)) where γ_i = 0
 * ```
 *
 * At γ = 0 a token of attention weight r against all the rest takes the share γ r / (1 + γ r): its derivative is r, but only up
 * to γ ≈ 1/r, and switching it on changes the share by less than 1. The derivatives of active tokens are taken at γ = 1, where
 * that curve is flat; the largest of them is the scale on which this batch's derivatives can be trusted for a whole token. A
 * batch without active tokens has no such scale and keeps its derivatives.
 *
 * @param gates [B, l] γ of the plan, 0 or 1
 */
export function clipGateGradient(gradient: Float32Array, gates: Float32Array): Float32Array {
  let limit: number | undefined;
  gates.forEach((gate, index) => {
    if (gate > 0) limit = Math.max(limit ?? 0, Math.abs(gradient[index] ?? 0));
  });
  if (limit === undefined) return gradient;
  const bound = limit;
  return gradient.map((value, index) =>
    (gates[index] ?? 0) > 0 ? value : Math.min(bound, Math.max(-bound, value)),
  );
}
