/** A line plot as SVG text, readable on light and dark pages. */
export interface Plot {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

export interface Axis {
  readonly label: string
  readonly log?: boolean
}

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [number, number])[]
}

const WIDTH = 760
const HEIGHT = 420
const BOX = { left: 70, right: 590, top: 44, bottom: 360 }
/** Okabe & Ito: told apart by everyone. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f7f7f', '#000000']

export function drawPlot({ title, x, y, series }: Plot): string {
  const points = series.flatMap((line) => line.points)
  const scaleX = scaleOf(
    points.map(([value]) => value),
    x,
    BOX.left,
    BOX.right
  )
  const scaleY = scaleOf(
    points.map(([, value]) => value),
    y,
    BOX.bottom,
    BOX.top
  )
  const ticksX = scaleX.ticks.map((tick) => {
    const at = round(scaleX.at(tick))
    return `<path d="M${at} ${BOX.bottom}v5" stroke="#888"/><text x="${at}" y="${BOX.bottom + 19}" text-anchor="middle">${format(tick)}</text>`
  })
  const ticksY = scaleY.ticks.map((tick) => {
    const at = round(scaleY.at(tick))
    return `<path d="M${BOX.left} ${at}H${BOX.right}" stroke="#ddd"/><text x="${BOX.left - 8}" y="${at + 4}" text-anchor="end">${format(tick)}</text>`
  })
  const lines = series.map((line, i) => drawSeries(line, i, scaleX.at, scaleY.at))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${BOX.left}" y="24" font-size="15" font-weight="600">${escapeText(title)}</text>`,
    ...ticksY,
    ...ticksX,
    `<path d="M${BOX.left} ${BOX.bottom}H${BOX.right}" stroke="#888"/>`,
    `<text x="${(BOX.left + BOX.right) / 2}" y="${BOX.bottom + 42}" text-anchor="middle">${escapeText(x.label)}</text>`,
    `<text transform="translate(18 ${(BOX.top + BOX.bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeText(y.label)}</text>`,
    ...lines,
    '</svg>',
    ''
  ].join('\n')
}

function drawSeries(
  { name, points }: Series,
  index: number,
  atX: (value: number) => number,
  atY: (value: number) => number
): string {
  const colour = COLOURS[index % COLOURS.length]
  const spots = points.map(([x, y]) => [round(atX(x)), round(atY(y))] as const)
  const dots = spots.length > 30 ? [] : spots.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3"/>`)
  const legend = BOX.top + 10 + index * 20
  return [
    `<g fill="${colour}">`,
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${spots.join(' ')}"/>`,
    ...dots,
    `<path d="M${BOX.right + 14} ${legend}h18" stroke="${colour}" stroke-width="2"/>`,
    `<text fill="#333" x="${BOX.right + 38}" y="${legend + 4}">${escapeText(name)}</text>`,
    '</g>'
  ].join('')
}

function scaleOf(values: readonly number[], { log = false }: Axis, from: number, to: number) {
  const warp = (value: number) => (log ? Math.log10(value) : value)
  const low = log ? 10 ** Math.floor(warp(Math.min(...values)) + 1e-9) : Math.min(0, ...values)
  const high = log ? 10 ** Math.ceil(warp(Math.max(...values)) - 1e-9) : Math.max(...values)
  const span = warp(high) - warp(low) || 1
  return {
    ticks: log ? decades(low, high) : steps(low, high),
    at: (value: number) => from + ((warp(value) - warp(low)) / span) * (to - from)
  }
}

function decades(low: number, high: number): number[] {
  return Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, i) => low * 10 ** i)
}

function steps(low: number, high: number): number[] {
  const rough = (high - low || 1) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  return Array.from({ length: Math.floor((high - low) / step + 1e-9) + 1 }, (_, i) => low + i * step)
}

const format = (value: number) =>
  Number(value.toPrecision(6)).toLocaleString('en', { maximumFractionDigits: 3 })
const round = (value: number) => Math.round(value * 10) / 10
const escapeText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
