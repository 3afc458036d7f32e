import { deflateSync, inflateSync } from 'node:zlib'
import { pngFile } from '../../src/cli/demo/png.ts'

/** PNG (ISO/IEC 15948) in at most 256 colours: a picture of a page loses nothing that one sees, and two thirds of its bytes. */

const COLOURS = 256

interface Raster {
  readonly width: number
  readonly height: number
  /** Three bytes a pixel. */
  readonly rgb: Uint8Array
}

/** @param png 8-bit RGB or RGBA without interlacing, as Chromium takes screenshots */
export function smallPng(png: Uint8Array): Uint8Array {
  const { width, height, rgb } = decode(png)
  const palette = commonest(rgb)
  const nearest = nearestIn(palette)
  const rows = Buffer.alloc(height * (width + 1)) // before each row its filter: 0, none, best for palettes
  for (let pixel = 0; pixel < width * height; pixel++) {
    rows[pixel + Math.floor(pixel / width) + 1] = nearest(colourAt(rgb, pixel))
  }
  return pngFile({
    width,
    height,
    colourType: 3,
    palette: Uint8Array.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255])),
    rows: deflateSync(rows, { level: 9, memLevel: 9 })
  })
}

export function decode(png: Uint8Array): Raster {
  const bytes = Buffer.from(png)
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
  const channels = bytes[25] === 6 ? 4 : bytes[25] === 2 ? 3 : 0
  if (bytes[24] !== 8 || channels === 0 || bytes[28] !== 0) {
    throw new TypeError('Only PNGs of 8-bit RGB or RGBA without interlacing are read here.')
  }
  const parts: Buffer[] = []
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') {
      parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)))
    }
  }
  const flat = unfilter(inflateSync(Buffer.concat(parts)), width * channels, height, channels)
  const rgb = new Uint8Array(width * height * 3)
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgb.set(flat.subarray(pixel * channels, pixel * channels + 3), pixel * 3)
  }
  return { width, height, rgb }
}

function unfilter(filtered: Uint8Array, stride: number, height: number, channels: number): Uint8Array {
  const flat = new Uint8Array(stride * height)
  for (let row = 0; row < height; row++) {
    const filter = filtered[row * (stride + 1)] ?? 0
    const to = row * stride
    for (let at = 0; at < stride; at++) {
      const left = at < channels ? 0 : (flat[to + at - channels] ?? 0)
      const above = row === 0 ? 0 : (flat[to + at - stride] ?? 0)
      const corner = row === 0 || at < channels ? 0 : (flat[to + at - stride - channels] ?? 0)
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter] ?? 0
      flat[to + at] = (filtered[row * (stride + 1) + 1 + at] ?? 0) + guess
    }
  }
  return flat
}

function paeth(left: number, above: number, corner: number): number {
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)]
  return a <= b && a <= c ? left : b <= c ? above : corner
}

const colourAt = (rgb: Uint8Array, pixel: number) =>
  ((rgb[pixel * 3] ?? 0) << 16) | ((rgb[pixel * 3 + 1] ?? 0) << 8) | (rgb[pixel * 3 + 2] ?? 0)

/** The colours that most pixels have. */
function commonest(rgb: Uint8Array): number[] {
  const counts = new Map<number, number>()
  for (let pixel = 0; pixel * 3 < rgb.length; pixel++) {
    const colour = colourAt(rgb, pixel)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .slice(0, COLOURS)
    .map(([colour]) => colour)
}

function nearestIn(palette: readonly number[]): (colour: number) => number {
  const known = new Map(palette.map((colour, index) => [colour, index]))
  return (colour) => {
    const found = known.get(colour)
    if (found !== undefined) return found
    let [best, least] = [0, Number.POSITIVE_INFINITY]
    for (const [index, other] of palette.entries()) {
      const distance = [16, 8, 0].reduce(
        (sum, shift) => sum + (((colour >> shift) & 255) - ((other >> shift) & 255)) ** 2,
        0
      )
      if (distance < least) [best, least] = [index, distance]
    }
    known.set(colour, best)
    return best
  }
}
