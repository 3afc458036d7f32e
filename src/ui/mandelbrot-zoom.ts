/** The part of a Mandelbrot job that a zoom changes: decimal text, as the skill takes it. */
export interface PlaneView {
  readonly x: string
  readonly y: string
  readonly span: string
  readonly width: number
  readonly height: number
  readonly iterations: number
}

/** Decimal places of the arithmetic: beyond the deepest zoom of the skill, 10^57. */
const PLACES = 80
const ONE = 10n ** BigInt(PLACES)
const ITERATIONS_MOST = 65_535

export function isPlaneView(value: unknown): value is PlaneView {
  if (typeof value !== 'object' || value === null) return false
  const { x, y, span, width, height, iterations } = value as Record<string, unknown> // checked here
  return (
    [x, y, span].every((text) => typeof text === 'string' && parse(text) !== undefined) &&
    [width, height, iterations].every(Number.isSafeInteger)
  )
}

/**
 * The view with a point of the picture in its middle and a span `factor` times as wide.
 *
 * @param point in pixels from the top left corner
 * @param factor below 1 zooms in, such as 1/4
 */
export function zoomed(view: PlaneView, point: { x: number; y: number }, factor: number): PlaneView {
  const span = parse(view.span) ?? ONE
  const [x, y] = [parse(view.x) ?? 0n, parse(view.y) ?? 0n]
  // Halves of pixels, so that the middle of a picture stays where it is; y points up.
  const offset = (at: number, side: number) => BigInt(Math.round(2 * at) - side)
  const step = (halves: bigint) => (span * halves) / (2n * BigInt(view.width))
  const wider = (span * BigInt(Math.round(factor * 1_000_000))) / 1_000_000n
  const next = wider > 4n * ONE ? 4n * ONE : wider
  const digits = Math.max(0, PLACES - next.toString().length) + 6
  const times = Math.log2(Math.max(1, Number(4n * ONE) / Number(next)))
  return {
    ...view,
    x: within(x + step(offset(point.x, view.width)), digits),
    y: within(y - step(offset(point.y, view.height)), digits),
    span: format(next, digits),
    iterations: Math.min(ITERATIONS_MOST, Math.max(view.iterations, Math.round(500 + 100 * times)))
  }
}

/** The skill's plane ends at ±2. */
const within = (value: bigint, digits: number) =>
  format(value > 2n * ONE ? 2n * ONE : value < -2n * ONE ? -2n * ONE : value, digits)

/** Times 10^80; undefined for what is no decimal number. */
function parse(text: string): bigint | undefined {
  const match = /^([+-]?)(\d{1,80})(?:\.(\d{1,200}))?(?:e([+-]?\d{1,3}))?$/i.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '0', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n)
  const power = PLACES + Number(exponent) - fraction.length
  return power >= 0 ? digits * 10n ** BigInt(power) : digits / 10n ** BigInt(-power)
}

/** With so many decimals at most, without trailing zeros. */
function format(value: bigint, decimals: number): string {
  const size = value < 0n ? -value : value
  const places = Math.min(PLACES, decimals)
  const rounded = size / 10n ** BigInt(PLACES - places)
  const unit = 10n ** BigInt(places)
  const fraction = (rounded % unit).toString().padStart(places, '0').replace(/0+$/, '')
  const sign = value < 0n && rounded > 0n ? '-' : ''
  return `${sign}${rounded / unit}${fraction === '' ? '' : `.${fraction}`}`
}
