/** What inputs and outputs of skills hold besides plain data, by name. */
export const TYPED_ARRAYS = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array
} as const

export type TypedArrayName = keyof typeof TYPED_ARRAYS
export type TypedArray = InstanceType<(typeof TYPED_ARRAYS)[TypedArrayName]>

export const isTypedArrayName = (name: unknown): name is TypedArrayName =>
  typeof name === 'string' && Object.hasOwn(TYPED_ARRAYS, name)

/** Which one a value is; of a subclass, such as Node's Buffer, undefined: it would come back as another. */
export function typedArrayName(value: unknown): TypedArrayName | undefined {
  const name: unknown = ArrayBuffer.isView(value)
    ? Object.getPrototypeOf(value)?.constructor?.name
    : undefined
  return isTypedArrayName(name) ? name : undefined
}
