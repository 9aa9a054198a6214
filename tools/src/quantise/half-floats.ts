// Taken out once: jest's sandbox looks up every global slowly, and these run once for every weight.
const { abs, floor, max, min, round } = Math;

/** Largest finite float16. */
export const LARGEST_HALF = 65504;

const float = new Float32Array(1);
const bitsOfFloat = new Uint32Array(float.buffer);
/** Bits of infinity in float32; above are those of no number. */
const INFINITY_BITS = 0x7f800000;
/** Bits of 2⁻¹⁴ in float32, from where float16 has an exponent of its own. */
const SMALLEST_NORMAL = 0x38800000;

/** Bits of the float16 nearest to a number, ties to even; beyond the range the largest finite one (IEEE 754 binary16). */
export function halfBits(value: number): number {
  float[0] = max(-LARGEST_HALF, min(LARGEST_HALF, value));
  const [bits = 0] = bitsOfFloat;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > INFINITY_BITS) return 0x7e00;
  // Below, steps are 2⁻²⁴ wide; above, 13 bits of the fraction go and the exponent's bias falls by 112.
  if (magnitude < SMALLEST_NORMAL) return sign | roundToEven(abs(value) * 2 ** 24);
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded >>> 13) - (112 << 10));
}

/** The number that the bits of a float16 mean. */
export function halfValue(bits: number): number {
  return numbers[bits] ?? NaN;
}

/** All float16 numbers, by their bits: a power for every weight takes long. */
const numbers = Float32Array.from({ length: 0x10000 }, (_, bits) => {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
});

/** The whole number nearest to a number, the even one of two. */
export function roundToEven(value: number): number {
  const below = floor(value);
  if (value - below !== 0.5) return round(value);
  return below % 2 === 0 ? below : below + 1;
}
