/** float32 of IEEE 754 binary16 bits; exact. */
export function widenFloat16(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  bits.forEach((half, index) => {
    const sign = (half & 0x8000) << 16;
    const isFinite = (half & 0x7c00) !== 0x7c00;
    // The fields move to their float32 places; 2¹¹² makes up for the exponent's bias (127 − 15), for subnormal numbers too.
    words[index] = isFinite ? (half & 0x7fff) << 13 : 0x7f800000 | ((half & 0x3ff) << 13);
    if (isFinite) values[index] = (values[index] ?? 0) * 2 ** 112;
    words[index] = (words[index] ?? 0) | sign;
  });
  return values;
}

/** float32 of bfloat16 bits, which are its upper half; exact. */
export function widenBfloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}
