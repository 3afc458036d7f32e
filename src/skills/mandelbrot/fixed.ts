/**
 * Fixed-point numbers that are the same on every device. A number has `words` words of 26 bits after the point
 * and one before it, least first; all but the last, which has the sign, are from 0 to 2^26 − 1. Kernels that
 * multiply in 32 bits cut each word in two limbs of 13 bits (the last one stays whole): the same number, and
 * columns of a product that need no carry on the way.
 */
export const WORD_BITS = 26
export const LIMB_BITS = 13
const LIMB_MASK = 2 ** LIMB_BITS - 1

/** Words after the point: 52 to 208 bits. */
export const WORDS_MIN = 2
export const WORDS_MAX = 8

/** Limbs of a number with `words` words after the point. */
export const limbsOf = (words: number): number => 2 * words + 1

const DECIMAL = /^([+-]?)(\d{1,80})(?:\.(\d{1,200}))?(?:e([+-]?\d{1,3}))?$/i

/** True for text such as `-1.25` or `3e-40`. */
export const isDecimal = (text: string): boolean => DECIMAL.test(text)

/** A decimal number times 2^bits, rounded down; 0 for what is no decimal number. */
export function scaled(text: string, bits: number): bigint {
  const [, sign, whole = '0', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? []
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n)
  const power = Number(exponent) - fraction.length
  const shifted = digits << BigInt(bits)
  return power >= 0 ? shifted * 10n ** BigInt(power) : floorDivide(shifted, 10n ** BigInt(-power))
}

export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend % divisor < 0n ? quotient - 1n : quotient
}

/** The words of a number that was scaled by 2^(26 · words). */
export function wordsOf(value: bigint, words: number): number[] {
  const list = Array.from({ length: words }, (_, index) =>
    Number(BigInt.asUintN(WORD_BITS, value >> BigInt(WORD_BITS * index)))
  )
  return [...list, Number(value >> BigInt(WORD_BITS * words))]
}

/** About its value, as a double. */
export const approximate = (words: readonly number[]): number =>
  words.reduceRight((sum, word, index) => sum + word * 2 ** (WORD_BITS * (index - words.length + 1)), 0)

/** Words to limbs. */
export function splitWords(words: readonly number[]): Int32Array {
  const limbs = new Int32Array(limbsOf(words.length - 1))
  for (const [index, word] of words.entries()) {
    if (index === words.length - 1) {
      limbs[index * 2] = word
    } else {
      limbs[index * 2] = word & LIMB_MASK
      limbs[index * 2 + 1] = word >> LIMB_BITS
    }
  }
  return limbs
}
