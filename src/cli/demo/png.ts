import { crc32, deflateSync } from 'node:zlib'

/** PNG files (ISO/IEC 15948), 8 bits a sample, not interlaced. */

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

interface Picture {
  readonly width: number
  readonly height: number
  /** By the standard's number: 2 is RGB, 3 are indices into a palette. */
  readonly colourType: 2 | 3
  /** Three bytes a colour, of colour type 3. */
  readonly palette?: Uint8Array
  /** Rows, before each one its filter, compressed by zlib. */
  readonly rows: Uint8Array
}

/** Three bytes a pixel, row by row. */
export function encodePng(width: number, height: number, rgb: Uint8Array): Uint8Array {
  const stride = width * 3
  const filtered = Buffer.alloc(height * (stride + 1)) // before each row its filter: 0, none
  for (let row = 0; row < height; row++) {
    filtered.set(rgb.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1)
  }
  return pngFile({ width, height, colourType: 2, rows: deflateSync(filtered) })
}

export function pngFile({ width, height, colourType, palette, rows }: Picture): Uint8Array {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, colourType, 0, 0, 0])
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    ...(palette === undefined ? [] : [chunk('PLTE', palette)]),
    chunk('IDAT', rows),
    chunk('IEND', new Uint8Array())
  ])
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
