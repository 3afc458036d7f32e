/** The first `bytes` of each of `rows` rows of `stride` bytes, one after the other. */
export function withoutPadding(padded: Uint8Array, rows: number, bytes: number, stride: number): Uint8Array {
  if (bytes === stride) {
    return padded.slice(0, rows * bytes)
  }
  const result = new Uint8Array(rows * bytes)
  for (let row = 0; row < rows; row++) {
    result.set(padded.subarray(row * stride, row * stride + bytes), row * bytes)
  }
  return result
}

/** The opposite, of the first `rows` rows of `values` to `target`: zeros after each row. */
export function setWithPadding(
  target: Uint8Array,
  values: Uint8Array,
  rows: number,
  bytes: number,
  stride: number
): void {
  if (bytes === stride) {
    target.set(values.subarray(0, rows * bytes))
    return
  }
  target.fill(0, 0, rows * stride)
  for (let row = 0; row < rows; row++) {
    target.set(values.subarray(row * bytes, (row + 1) * bytes), row * stride)
  }
}
