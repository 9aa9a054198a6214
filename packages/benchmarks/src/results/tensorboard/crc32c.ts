/** Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;
/** What TensorFlow adds to a rotated checksum, so that data that hold their own checksum do not upset it. */
const MASK = 0xa282ead8;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  return value;
});

/** CRC-32C (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] ?? 0);
  return (value ^ 0xffffffff) >>> 0;
}

/** The checksum as TFRecord files hold it: rotated by 15 bits, plus a constant. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const value = crc32c(bytes);
  return (((value >>> 15) | (value << 17)) + MASK) >>> 0;
}
