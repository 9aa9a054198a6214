/**
 * Mean cross-entropy over a batch in nats, and its gradient (softmax − one-hot) / B.
 *
 * @param logits [B, classes]
 * @param labels [B]
 */
export function softmaxCrossEntropy(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
): { readonly loss: number; readonly gradient: Float32Array } {
  const size = labels.length;
  const gradient = new Float32Array(logits.length);
  let loss = 0;
  for (let row = 0; row < size; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const label = labels[row] ?? 0;
    const top = scores.reduce((most, score) => Math.max(most, score), -Infinity);
    const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
    loss += (Math.log(total) + top - (scores[label] ?? 0)) / size;
    scores.forEach((score, column) => {
      const probability = Math.exp(score - top) / total;
      gradient[row * classes + column] = (probability - (column === label ? 1 : 0)) / size;
    });
  }
  return { loss, gradient };
}
