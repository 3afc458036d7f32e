/** What this page can show of a skill's output, recognised by its members: an output is only data until then. */

export interface MatrixResult {
  readonly c: Int32Array | Float32Array
  readonly m: number
  readonly n: number
}

export interface CountsResult {
  readonly counts: Uint32Array
  readonly width: number
  readonly height: number
}

export interface RadianceResult {
  readonly radiance: Float32Array
  readonly width: number
  readonly height: number
}

export interface NearestResult {
  readonly ids: Uint32Array
  readonly scores: Int32Array
  readonly top: number
}

export type PictureResult = CountsResult | RadianceResult

const members = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {} // each is checked by its reader

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1

export function isMatrixResult(value: unknown): value is MatrixResult {
  const { c, m, n } = members(value)
  const isArray = c instanceof Int32Array || c instanceof Float32Array
  return isArray && isSize(m) && isSize(n) && c.length === m * n
}

export function isCountsResult(value: unknown): value is CountsResult {
  const { counts, width, height } = members(value)
  return counts instanceof Uint32Array && isSize(width) && isSize(height) && counts.length === width * height
}

export function isRadianceResult(value: unknown): value is RadianceResult {
  const { radiance, width, height } = members(value)
  const isArray = radiance instanceof Float32Array
  return isArray && isSize(width) && isSize(height) && radiance.length === width * height * 3
}

export function isNearestResult(value: unknown): value is NearestResult {
  const { ids, scores, top } = members(value)
  const isArray = ids instanceof Uint32Array && scores instanceof Int32Array
  return isArray && isSize(top) && ids.length === scores.length && ids.length % top === 0
}

export const isPictureResult = (value: unknown): value is PictureResult =>
  isCountsResult(value) || isRadianceResult(value)

/** The arrays of an output, one after the other as stored (little-endian): what is downloaded as bytes. */
export function arraysOf(value: unknown): Array<ArrayBufferView<ArrayBuffer>> {
  return Object.values(members(value)).filter((member): member is ArrayBufferView<ArrayBuffer> =>
    ArrayBuffer.isView(member)
  )
}

/** SHA-256 of the bytes that are downloaded, lower-case hex. */
export async function checksum(value: unknown): Promise<string> {
  const arrays = arraysOf(value)
  const bytes = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Four bytes a pixel. Of a picture that is not whole, what is not there yet is transparent. */
export function pixelsOf(picture: PictureResult, isWhole: boolean): Uint8ClampedArray<ArrayBuffer> {
  const pixels = 'counts' in picture ? escapeColours(picture.counts) : displayed(picture.radiance)
  if (isWhole) for (let at = 3; at < pixels.length; at += 4) pixels[at] = 255
  return pixels
}

/** Every n-th pixel of a picture, so that its longer side has `most` at most. */
export function thumbnailOf(picture: PictureResult, most: number): PictureResult {
  const step = Math.max(1, Math.ceil(Math.max(picture.width, picture.height) / most))
  if (step === 1) return picture
  const [width, height] = [Math.ceil(picture.width / step), Math.ceil(picture.height / step)]
  const pick = <T extends Uint32Array | Float32Array>(from: T, to: T, channels: number): T => {
    for (let at = 0; at < to.length; at++) {
      const pixel = Math.floor(at / channels)
      const source = Math.floor(pixel / width) * step * picture.width + (pixel % width) * step
      to[at] = from[source * channels + (at % channels)] ?? 0
    }
    return to
  }
  const pixels = width * height
  return 'counts' in picture
    ? { counts: pick(picture.counts, new Uint32Array(pixels), 1), width, height }
    : { radiance: pick(picture.radiance, new Float32Array(pixels * 3), 3), width, height }
}

/** By the logarithm of the count; black for the greatest one: the points that never left. */
function escapeColours(counts: Uint32Array): Uint8ClampedArray<ArrayBuffer> {
  let most = 0
  for (const count of counts) if (count > most) most = count
  const pixels = new Uint8ClampedArray(counts.length * 4)
  const words = new Uint32Array(pixels.buffer)
  const known = new Map<number, number>()
  for (let at = 0; at < counts.length; at++) {
    const count = counts[at] ?? 0
    if (count === 0) continue
    const colour = known.get(count) ?? packed(count, count === most)
    known.set(count, colour)
    words[at] = colour
  }
  return pixels
}

function packed(count: number, isInside: boolean): number {
  const phase = 0.9 + 2.2 * Math.log(count + 1)
  const [red = 0, green = 0, blue = 0] = [0, 0.6, 1.2].map((shift) =>
    isInside ? 0 : Math.round(127.5 * (1 - Math.cos(phase + shift)))
  )
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0
}

/** Linear radiance as a display shows it: white from 1 on, gamma 2.2. */
function displayed(radiance: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray((radiance.length / 3) * 4)
  for (let from = 0, to = 0; from < radiance.length; from += 3, to += 4) {
    const [red = 0, green = 0, blue = 0] = radiance.subarray(from, from + 3)
    if (red === 0 && green === 0 && blue === 0) continue
    pixels[to] = 255 * Math.min(1, red) ** (1 / 2.2)
    pixels[to + 1] = 255 * Math.min(1, green) ** (1 / 2.2)
    pixels[to + 2] = 255 * Math.min(1, blue) ** (1 / 2.2)
    pixels[to + 3] = 255
  }
  return pixels
}
