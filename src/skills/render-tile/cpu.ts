import { HEADER, MATERIAL, RADIANCE_MAX, SPHERE, TRIANGLE } from './scene.ts'
import type { RenderTile } from './tile.ts'

/** Nearer surfaces are the one that the ray leaves. */
const NEAREST = 1e-3
/** Light of paths between two yields: a few milliseconds. */
const SLICE = 4_000_000
/** Kinds of material above which it is metal, glass, a light. */
const DIFFUSE_END = 0.5
const METAL_END = 1.5
const GLASS_END = 2.5

/**
 * The path tracer that all kernels keep to: its random numbers bit by bit, its arithmetic to rounding (f32 on
 * the GPU, doubles here). Numbers are drawn by place (pixel, path, surface, seed), so that any pixel can be
 * computed anew, alone, anywhere.
 */
export class PathTracer {
  /** Of the pixel last traced. */
  red = 0
  green = 0
  blue = 0
  readonly #tile: RenderTile
  readonly #scene: Float64Array
  readonly #random = new Uint32Array(4)
  readonly #firstSphere: number
  readonly #firstTriangle: number
  readonly #end: number
  // the ray
  #ox = 0
  #oy = 0
  #oz = 0
  #dx = 0
  #dy = 0
  #dz = 0
  // what it meets: distance, outward normal, material's offset
  #t = 0
  #nx = 0
  #ny = 0
  #nz = 0
  #material = 0

  constructor(tile: RenderTile, scene: Float32Array) {
    this.#tile = tile
    this.#scene = Float64Array.from(scene)
    this.#firstSphere = HEADER + tile.materials * MATERIAL
    this.#firstTriangle = this.#firstSphere + tile.spheres * SPHERE
    this.#end = this.#firstTriangle + tile.triangles * TRIANGLE
  }

  /** Sets `red`, `green` and `blue` to the mean radiance of a pixel of the picture. */
  trace(column: number, row: number): void {
    const { samples } = this.#tile
    let red = 0
    let green = 0
    let blue = 0
    for (let sample = 0; sample < samples; sample++) {
      this.#path(column, row, sample)
      red += Math.min(this.red, RADIANCE_MAX)
      green += Math.min(this.green, RADIANCE_MAX)
      blue += Math.min(this.blue, RADIANCE_MAX)
    }
    this.red = red / samples
    this.green = green / samples
    this.blue = blue / samples
  }

  /** Sets `red`, `green` and `blue` to the radiance along one path. */
  #path(column: number, row: number, sample: number): void {
    const scene = this.#scene
    const { depth } = this.#tile
    const pixel = row * 4096 + column
    this.#draw(pixel, sample, 0)
    const across = Math.fround(column + this.#uniform(0))
    const down = Math.fround(row + this.#uniform(1))
    this.#ox = scene[0] ?? 0
    this.#oy = scene[1] ?? 0
    this.#oz = scene[2] ?? 0
    this.#aim(
      (scene[3] ?? 0) + across * (scene[6] ?? 0) + down * (scene[9] ?? 0),
      (scene[4] ?? 0) + across * (scene[7] ?? 0) + down * (scene[10] ?? 0),
      (scene[5] ?? 0) + across * (scene[8] ?? 0) + down * (scene[11] ?? 0)
    )
    let red = 1
    let green = 1
    let blue = 1
    for (let surface = 1; surface <= depth; surface++) {
      if (!this.#meet()) {
        const up = 0.5 * (this.#dy + 1)
        this.red = red * mix(scene[12], scene[15], up)
        this.green = green * mix(scene[13], scene[16], up)
        this.blue = blue * mix(scene[14], scene[17], up)
        return
      }
      const at = this.#material
      red *= scene[at + 1] ?? 0
      green *= scene[at + 2] ?? 0
      blue *= scene[at + 3] ?? 0
      const kind = scene[at] ?? 0
      if (kind > GLASS_END) {
        this.red = red
        this.green = green
        this.blue = blue
        return
      }
      this.#ox += this.#t * this.#dx
      this.#oy += this.#t * this.#dy
      this.#oz += this.#t * this.#dz
      this.#draw(pixel, sample, surface)
      if (kind > METAL_END) {
        this.#refract(scene[at + 4] ?? 1)
      } else if (!this.#scatter(kind > DIFFUSE_END, scene[at + 4] ?? 0)) {
        break
      }
    }
    this.red = 0
    this.green = 0
    this.blue = 0
  }

  /** Finds the nearest surface along the ray. */
  #meet(): boolean {
    this.#t = Infinity
    for (let at = this.#firstSphere; at < this.#firstTriangle; at += SPHERE) {
      this.#meetSphere(at)
    }
    for (let at = this.#firstTriangle; at < this.#end; at += TRIANGLE) {
      this.#meetTriangle(at)
    }
    return this.#t < Infinity
  }

  /** Without cancellation for distant or large spheres: Haines et al., Ray Tracing Gems (2019), chapter 7. */
  #meetSphere(at: number): void {
    const scene = this.#scene
    const radius = scene[at + 3] ?? 0
    const fx = this.#ox - (scene[at] ?? 0)
    const fy = this.#oy - (scene[at + 1] ?? 0)
    const fz = this.#oz - (scene[at + 2] ?? 0)
    const b = -(fx * this.#dx + fy * this.#dy + fz * this.#dz)
    const lx = fx + b * this.#dx
    const ly = fy + b * this.#dy
    const lz = fz + b * this.#dz
    const discriminant = radius * radius - (lx * lx + ly * ly + lz * lz)
    if (discriminant <= 0) {
      return
    }
    const root = Math.sqrt(discriminant)
    const q = b > 0 ? b + root : b - root
    const other = (fx * fx + fy * fy + fz * fz - radius * radius) / q
    const near = Math.min(q, other)
    const t = near > NEAREST ? near : Math.max(q, other)
    if (t > NEAREST && t < this.#t) {
      this.#t = t
      this.#nx = (fx + t * this.#dx) / radius
      this.#ny = (fy + t * this.#dy) / radius
      this.#nz = (fz + t * this.#dz) / radius
      this.#material = this.#materialAt(at + 4)
    }
  }

  /** Möller and Trumbore (1997). */
  #meetTriangle(at: number): void {
    const scene = this.#scene
    const bx = scene[at + 4] ?? 0
    const by = scene[at + 5] ?? 0
    const bz = scene[at + 6] ?? 0
    const cx = scene[at + 8] ?? 0
    const cy = scene[at + 9] ?? 0
    const cz = scene[at + 10] ?? 0
    const px = this.#dy * cz - this.#dz * cy
    const py = this.#dz * cx - this.#dx * cz
    const pz = this.#dx * cy - this.#dy * cx
    const determinant = bx * px + by * py + bz * pz
    if (Math.abs(determinant) < 1e-12) {
      return
    }
    const fx = this.#ox - (scene[at] ?? 0)
    const fy = this.#oy - (scene[at + 1] ?? 0)
    const fz = this.#oz - (scene[at + 2] ?? 0)
    const u = (fx * px + fy * py + fz * pz) / determinant
    const qx = fy * bz - fz * by
    const qy = fz * bx - fx * bz
    const qz = fx * by - fy * bx
    const v = (this.#dx * qx + this.#dy * qy + this.#dz * qz) / determinant
    const t = (cx * qx + cy * qy + cz * qz) / determinant
    if (u >= 0 && v >= 0 && u + v <= 1 && t > NEAREST && t < this.#t) {
      this.#t = t
      this.#nx = scene[at + 12] ?? 0
      this.#ny = scene[at + 13] ?? 0
      this.#nz = scene[at + 14] ?? 0
      this.#material = this.#materialAt(at + 3)
    }
  }

  /** Where the material lies that the number at `at` names. */
  #materialAt(at: number): number {
    const index = Math.min(Math.max(this.#scene[at] ?? 0, 0), this.#tile.materials - 1)
    return HEADER + Math.floor(index) * MATERIAL
  }

  /** A new direction off the surface; false if the light is lost in it. */
  #scatter(isMetal: boolean, fuzz: number): boolean {
    const z = 1 - 2 * this.#uniform(0)
    const ring = Math.sqrt(Math.max(0, 1 - z * z))
    const turn = 2 * Math.PI * this.#uniform(1)
    const sx = ring * Math.cos(turn)
    const sy = ring * Math.sin(turn)
    const cosine = this.#dx * this.#nx + this.#dy * this.#ny + this.#dz * this.#nz
    if (isMetal) {
      this.#aim(
        this.#dx - 2 * cosine * this.#nx + fuzz * sx,
        this.#dy - 2 * cosine * this.#ny + fuzz * sy,
        this.#dz - 2 * cosine * this.#nz + fuzz * z
      )
      return cosine * (this.#dx * this.#nx + this.#dy * this.#ny + this.#dz * this.#nz) < 0
    }
    const side = cosine < 0 ? 1 : -1 // the normal that looks at the ray
    const x = side * this.#nx + sx
    const y = side * this.#ny + sy
    const depth = side * this.#nz + z
    if (x * x + y * y + depth * depth < 1e-6) {
      this.#aim(side * this.#nx, side * this.#ny, side * this.#nz)
    } else {
      this.#aim(x, y, depth)
    }
    return true
  }

  /** Through the surface, or off it: by Schlick's approximation (1994) of Fresnel's equations. */
  #refract(index: number): void {
    const cosine = this.#dx * this.#nx + this.#dy * this.#ny + this.#dz * this.#nz
    const isInto = cosine < 0
    const side = isInto ? 1 : -1
    const ratio = isInto ? 1 / index : index
    const cos = Math.min(Math.abs(cosine), 1)
    const rest = 1 - ratio * ratio * (1 - cos * cos)
    const base = ((1 - index) / (1 + index)) ** 2
    const outer = 1 - (isInto ? cos : Math.sqrt(Math.max(rest, 0)))
    const square = outer * outer
    const reflected = base + (1 - base) * square * square * outer
    if (rest <= 0 || this.#uniform(2) < reflected) {
      const twice = 2 * cosine
      this.#aim(this.#dx - twice * this.#nx, this.#dy - twice * this.#ny, this.#dz - twice * this.#nz)
      return
    }
    const along = side * (ratio * cos - Math.sqrt(rest))
    this.#aim(
      ratio * this.#dx + along * this.#nx,
      ratio * this.#dy + along * this.#ny,
      ratio * this.#dz + along * this.#nz
    )
  }

  #aim(x: number, y: number, z: number): void {
    const scale = 1 / Math.sqrt(x * x + y * y + z * z)
    this.#dx = x * scale
    this.#dy = y * scale
    this.#dz = z * scale
  }

  /** Four random words by place: PCG4D, Jarzynski and Olano, Hash Functions for GPU Rendering (JCGT 2020). */
  #draw(pixel: number, sample: number, surface: number): void {
    let x = (Math.imul(pixel, 1_664_525) + 1_013_904_223) | 0
    let y = (Math.imul(sample, 1_664_525) + 1_013_904_223) | 0
    let z = (Math.imul(surface, 1_664_525) + 1_013_904_223) | 0
    let w = (Math.imul(this.#tile.seed, 1_664_525) + 1_013_904_223) | 0
    for (let round = 0; round < 2; round++) {
      x = (x + Math.imul(y, w)) | 0
      y = (y + Math.imul(z, x)) | 0
      z = (z + Math.imul(x, y)) | 0
      w = (w + Math.imul(y, z)) | 0
      if (round === 0) {
        x ^= x >>> 16
        y ^= y >>> 16
        z ^= z >>> 16
        w ^= w >>> 16
      }
    }
    this.#random[0] = x
    this.#random[1] = y
    this.#random[2] = z
    this.#random[3] = w
  }

  /** In [0, 1), 24 bits: exact in f32 too. */
  #uniform(index: number): number {
    return ((this.#random[index] ?? 0) >>> 8) / 2 ** 24
  }
}

const mix = (a = 0, b = 0, share: number): number => a + (b - a) * share

/** Linear radiance of all pixels of a unit, row by row, red, green and blue. */
export function* render(tile: RenderTile, scene: Float32Array): Generator<number, Float32Array<ArrayBuffer>> {
  const { left, top, columns, rows, samples, spheres, triangles } = tile
  const tracer = new PathTracer(tile, scene)
  const radiance = new Float32Array(columns * rows * 3)
  const pixels = columns * rows
  const stride = Math.max(1, Math.floor(SLICE / (samples * (spheres * 22 + triangles * 30 + 120) * 3)))
  for (let at = 0; at < pixels; at++) {
    tracer.trace(left + (at % columns), top + Math.floor(at / columns))
    radiance[at * 3] = tracer.red
    radiance[at * 3 + 1] = tracer.green
    radiance[at * 3 + 2] = tracer.blue
    if ((at + 1) % stride === 0) {
      yield (at + 1) / pixels
    }
  }
  return radiance
}
