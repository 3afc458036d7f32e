/**
 * The smallest ONNX model of a product: C = A × B, B a constant of the model, so that the runtime may prepare it
 * once. Written by hand: field numbers of onnx.proto3 (IR version 8, opset 13).
 */

const FLOAT = 1
const INT8 = 3
const INT32 = 6

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | 128)
  }
  return [...bytes, rest]
}

const number = (field: number, value: number) => Uint8Array.from([...varint(field * 8), ...varint(value)])

function block(field: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, each) => sum + each.length, 0)
  return join([Uint8Array.from([...varint(field * 8 + 2), ...varint(size)]), ...contents])
}

const text = (field: number, value: string) => block(field, new TextEncoder().encode(value))

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, each) => sum + each.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function valueInfo(field: number, name: string, type: number, side: number): Uint8Array {
  const dimension = block(1, number(1, side))
  return block(field, text(1, name), block(2, block(1, number(1, type), block(2, dimension, dimension))))
}

export function productModel(side: number, b: Float32Array | Int8Array): Uint8Array {
  const isFloat = b instanceof Float32Array
  const type = isFloat ? FLOAT : INT8
  const raw = new Uint8Array(b.buffer, b.byteOffset, b.byteLength)
  const node = block(
    1,
    text(1, 'A'),
    text(1, 'B'),
    text(2, 'C'),
    text(4, isFloat ? 'MatMul' : 'MatMulInteger')
  )
  const constant = block(5, number(1, side), number(1, side), number(2, type), text(8, 'B'), block(9, raw))
  const graph = block(
    7,
    node,
    text(2, 'product'),
    constant,
    valueInfo(11, 'A', type, side),
    valueInfo(12, 'C', isFloat ? FLOAT : INT32, side)
  )
  return join([number(1, 8), block(8, number(2, 13)), graph])
}
