import * as z from 'zod/mini'
import { whole } from '../picture/input.ts'

export type Vector = [x: number, y: number, z: number]

/** What a ray meets. Colours are linear shares of light that go on, 0 to 1; a light's are its radiance. */
export type Material =
  | { readonly kind: 'diffuse'; readonly colour: Vector }
  /** `fuzz` 0 is a mirror, 1 nearly diffuse. */
  | { readonly kind: 'metal'; readonly colour: Vector; readonly fuzz: number }
  /** `index` of refraction, such as 1.5. */
  | { readonly kind: 'glass'; readonly colour: Vector; readonly index: number }
  | { readonly kind: 'light'; readonly colour: Vector }

/** Lengths in units of the scene's own, from .01 to 1000; y is up. */
export interface Scene {
  /** `angle`: of the view from top to bottom, in degrees. Must not look straight up or down. */
  readonly camera: { readonly from: Vector; readonly to: Vector; readonly angle: number }
  /** Radiance straight down and straight up, and a mix of them between. */
  readonly sky: { readonly bottom: Vector; readonly top: Vector }
  readonly materials: readonly Material[]
  /** `material`: index into `materials`. */
  readonly spheres: ReadonlyArray<{
    readonly centre: Vector
    readonly radius: number
    readonly material: number
  }>
  readonly triangles: ReadonlyArray<{
    readonly a: Vector
    readonly b: Vector
    readonly c: Vector
    readonly material: number
  }>
}

export const MATERIALS_MAX = 64
export const SPHERES_MAX = 256
export const TRIANGLES_MAX = 1024
/** Of one path, so that no single pixel outshines all others: brighter samples are cut. */
export const RADIANCE_MAX = 16

const between = (low: number, high: number) =>
  z
    .number('must be a number')
    .check(z.gte(low, `must be at least ${low}`), z.lte(high, `must be at most ${high}`))
const vector = (low: number, high: number) =>
  z.tuple([between(low, high), between(low, high), between(low, high)])
const point = vector(-1000, 1000)
const share = vector(0, 1)
const radiance = vector(0, RADIANCE_MAX)
const material = whole(0, MATERIALS_MAX - 1)

const materials = z.array(
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('diffuse'), colour: share }),
    z.strictObject({ kind: z.literal('metal'), colour: share, fuzz: between(0, 1) }),
    z.strictObject({ kind: z.literal('glass'), colour: share, index: between(1, 3) }),
    z.strictObject({ kind: z.literal('light'), colour: radiance })
  ])
)

export const scene: z.ZodMiniType<Scene> = z
  .strictObject({
    camera: z.strictObject({ from: point, to: point, angle: between(1, 150) }).check(
      z.refine(({ from, to }) => Math.hypot(from[0] - to[0], from[2] - to[2]) > 1e-3, {
        path: ['to'],
        message: 'must lie beside `from`, not straight above or below it'
      })
    ),
    sky: z.strictObject({ bottom: radiance, top: radiance }),
    materials: materials.check(
      z.minLength(1, 'must be at least one'),
      z.maxLength(MATERIALS_MAX, `must be at most ${MATERIALS_MAX}`)
    ),
    spheres: z
      .array(z.strictObject({ centre: point, radius: between(0.01, 1000), material }))
      .check(z.maxLength(SPHERES_MAX, `must be at most ${SPHERES_MAX}`)),
    triangles: z
      .array(z.strictObject({ a: point, b: point, c: point, material }))
      .check(z.maxLength(TRIANGLES_MAX, `must be at most ${TRIANGLES_MAX}`))
  })
  .check(
    z.refine(
      ({ materials, spheres, triangles }) =>
        [...spheres, ...triangles].every(({ material }) => material < materials.length),
      { path: ['materials'], message: 'must have every index that a sphere or a triangle names' }
    )
  )

/** How many there are of each: what a provider needs to know before it reads the packed scene. */
export interface Counts {
  readonly materials: number
  readonly spheres: number
  readonly triangles: number
}

// The packed scene: f32, in rows of four.
export const HEADER = 24
export const MATERIAL = 8
export const SPHERE = 8
export const TRIANGLE = 16
const KINDS = ['diffuse', 'metal', 'glass', 'light'] as const

/** Floats of a packed scene. */
export const packedLength = ({ materials, spheres, triangles }: Counts): number =>
  HEADER + materials * MATERIAL + spheres * SPHERE + triangles * TRIANGLE

/**
 * Header: origin, direction to the top left corner, steps of a pixel to the right and down, sky below and above.
 * Material: kind (0 to 3), colour, fuzz or index. Sphere: centre, radius, material. Triangle: a, material,
 * b − a, 0, c − a, 0, normal, 0.
 */
export function packScene(
  { camera, sky, materials, spheres, triangles }: Scene,
  width: number,
  height: number
): Float32Array<ArrayBuffer> {
  const counts = { materials: materials.length, spheres: spheres.length, triangles: triangles.length }
  const packed = new Float32Array(packedLength(counts))
  const forward = unit(minus(camera.to, camera.from))
  const right = unit(cross(forward, [0, 1, 0]))
  const down = cross(forward, right)
  const step = (2 * Math.tan((camera.angle * Math.PI) / 360)) / height
  const pixelRight = times(right, step)
  const pixelDown = times(down, step)
  const corner = minus(minus(forward, times(pixelRight, width / 2)), times(pixelDown, height / 2))
  packed.set([...camera.from, ...corner, ...pixelRight, ...pixelDown, ...sky.bottom, ...sky.top])
  let at = HEADER
  for (const each of materials) {
    const extra = each.kind === 'metal' ? each.fuzz : each.kind === 'glass' ? each.index : 0
    packed.set([KINDS.indexOf(each.kind), ...each.colour, extra], at)
    at += MATERIAL
  }
  for (const { centre, radius, material } of spheres) {
    packed.set([...centre, radius, material], at)
    at += SPHERE
  }
  for (const { a, b, c, material } of triangles) {
    const [ab, ac] = [minus(b, a), minus(c, a)]
    packed.set([...a, material, ...ab, 0, ...ac, 0, ...unit(cross(ab, ac))], at)
    at += TRIANGLE
  }
  return packed
}

const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
const times = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by]
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0]
]
/** Of length 1; 0 stays 0 (a triangle without area, which no ray meets). */
const unit = (a: Vector): Vector => times(a, 1 / (Math.hypot(...a) || 1))
