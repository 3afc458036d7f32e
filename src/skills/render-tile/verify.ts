import { samplePixels } from '../picture/samples.ts'
import { PathTracer } from './cpu.ts'
import { RADIANCE_MAX } from './scene.ts'
import type { RenderTile } from './tile.ts'

/** If none of so many pixels is an outlier, it is enough. */
const FIRST = 64
const SAMPLES = 256
const OUTLIERS_MAX = 13
/** What rounding makes of a path's light, as a share of it; a path that takes another turn makes more. */
const TOLERANCE = 3e-3
const MEAN_ERROR_MAX = 0.02

/**
 * Traces pixels anew, drawn without telling the provider. An outlier is a pixel off by more than .3 % (of its
 * light plus .1). Honest ones exist: a difference in the last bit may send a path past an edge, most of all
 * between mirrors; on SwiftShader they were under .1 % in usual scenes and 1 to 2 % in the worst one (40
 * mirror balls, 64 paths of 8 surfaces a pixel). So: 64 pixels without an outlier are accepted; else 256 in all
 * may have 13 outliers, and a mean error of .02 where black is 0 and endless light 1.
 *
 * Refuses an honest result with 1 % of outliers once in a million. Catches a result in which a share f of the
 * pixels is off with probability at least 1 − (1 − f)^64 − P(Binomial(256, f) ≤ 13): .994 for a tenth, all but
 * certainly for zeros, a stale tile or another unit's answer, as far as these differ from the right one; and so
 * a picture with fewer paths a pixel, or other random numbers, since nearly all its pixels are off. Pixels that
 * are not finite, negative or beyond 16 are always seen. It cannot see changes below .3 %, nor a few wrong
 * pixels: one among N with probability 64/N, and then 13 are forgiven.
 *
 * @param random uniform in [0, 1)
 */
export function checkRadiance(
  tile: RenderTile,
  scene: Float32Array,
  radiance: Float32Array,
  random: () => number
): boolean {
  const { left, top, columns, rows } = tile
  const pixels = columns * rows
  if (radiance.length !== pixels * 3 || !radiance.every(isRadiance)) {
    return false
  }
  const tracer = new PathTracer(tile, scene)
  let drawn = 0
  let outliers = 0
  let error = 0
  for (const at of samplePixels(pixels, SAMPLES, random)) {
    tracer.trace(left + (at % columns), top + Math.floor(at / columns))
    const right = [tracer.red, tracer.green, tracer.blue]
    const found = radiance.subarray(at * 3, at * 3 + 3)
    outliers += right.every((value, i) => isNear(found[i] ?? 0, value)) ? 0 : 1
    error += right.reduce((sum, value, i) => sum + Math.abs(shade(found[i] ?? 0) - shade(value)), 0) / 3
    drawn++
    if ((drawn === FIRST && outliers === 0) || outliers > OUTLIERS_MAX) {
      break
    }
  }
  return outliers <= Math.ceil((OUTLIERS_MAX * drawn) / SAMPLES) && error <= MEAN_ERROR_MAX * drawn
}

/**
 * Whether two honest nodes could have traced both pictures of one unit: at most the share of outliers that the check
 * forgives among its samples, and the same mean error.
 */
export function radianceAgrees(one: Float32Array, other: Float32Array): boolean {
  const pixels = one.length / 3
  let outliers = 0
  let error = 0
  for (let at = 0; at < one.length; at += 3) {
    let isOutlier = false
    for (let channel = at; channel < at + 3; channel++) {
      const a = one[channel] ?? 0
      const b = other[channel] ?? 0
      isOutlier ||= !isNear(a, b)
      error += Math.abs(shade(a) - shade(b)) / 3
    }
    outliers += isOutlier ? 1 : 0
  }
  return (
    one.length === other.length &&
    outliers <= Math.ceil((OUTLIERS_MAX * pixels) / SAMPLES) &&
    error <= MEAN_ERROR_MAX * pixels
  )
}

const isRadiance = (value: number): boolean => value >= 0 && value <= RADIANCE_MAX

const isNear = (found: number, right: number): boolean => Math.abs(found - right) <= TOLERANCE * (0.1 + right)

/** As an eye would see it: 0 to 1. */
const shade = (radiance: number): number => radiance / (1 + radiance)
