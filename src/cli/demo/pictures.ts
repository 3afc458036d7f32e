import { type MandelbrotInput, type RenderInput, skillByName, type UnitInput } from '../../skills/index.ts'

/** A picture that the demo has made, and what it must look like. */
export interface Picture {
  readonly input: MandelbrotInput | RenderInput
  readonly width: number
  readonly height: number
  /** Three bytes a pixel, of a result's bytes. */
  colour(result: Uint8Array): Uint8Array
  /** The share of pixels that may differ from the CPU oracle's. */
  readonly tolerance: number
}

const SEAHORSES: MandelbrotInput = {
  x: '-0.743643887037158704752191506114774',
  y: '0.131825904205311970493132056385139',
  span: '2e-8',
  width: 640,
  height: 400,
  iterations: 2000
}

/** What `--skill` may name, besides the matrix product. */
export const PICTURES = ['mandelbrot', 'render-tile']

export function pictureOf(skill: string): Picture | undefined {
  if (skill === 'mandelbrot') {
    const { width, height, iterations } = SEAHORSES
    const colour = (result: Uint8Array) => escapeColours(new Uint32Array(copied(result)), iterations)
    return { input: SEAHORSES, width, height, colour, tolerance: 0 }
  }
  if (skill === 'render-tile') {
    const example = skillByName(skill).example() as RenderInput // the skill's own input
    const input = { ...example, width: 480, height: 300, samples: 32 }
    const colour = (result: Uint8Array) => displayed(new Float32Array(copied(result)))
    return { input, width: input.width, height: input.height, colour, tolerance: 0.005 }
  }
  return undefined
}

/** The share of pixels that the CPU oracle, run here, makes another colour. */
export function differingShare(skillName: string, { input, colour }: Picture, rgb: Uint8Array): number {
  const skill = skillByName(skillName)
  const plan = skill.plan(input)
  const assembler = plan.assembler()
  for (const [index, unit] of plan.units.entries()) {
    const parts = unit.parts.map((part) => plan.parts[part] ?? new Uint8Array(0))
    assembler.accept(index, finish(skill.cpu({ ...unit, parts } satisfies UnitInput)))
  }
  const right = colour(bytesOf(assembler.finish()))
  let differing = 0
  for (let at = 0; at < right.length; at += 3) {
    const isSame = [0, 1, 2].every(
      (channel) => Math.abs((rgb[at + channel] ?? 0) - (right[at + channel] ?? 0)) <= 1
    )
    differing += isSame ? 0 : 1
  }
  return (3 * differing) / right.length
}

function finish(work: Generator<number, Uint8Array>): Uint8Array {
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      return step.value
    }
  }
}

/** The bytes of the one array that a picture's output has. */
function bytesOf(output: unknown): Uint8Array {
  const array = Object.values(output ?? {}).find((value) => ArrayBuffer.isView(value))
  if (array === undefined) {
    throw new TypeError('A picture must have its pixels in an array.')
  }
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

const copied = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer // a copy is never shared

/** Black for the set; outside, colours by the logarithm of the count. */
function escapeColours(counts: Uint32Array, iterations: number): Uint8Array {
  const rgb = new Uint8Array(counts.length * 3)
  for (const [at, count] of counts.entries()) {
    if (count < iterations) {
      const phase = 9 * Math.log(count + 1)
      rgb.set(
        [0, 0.6, 1.2].map((shift) => Math.round(127.5 * (1 - Math.cos(phase + shift)))),
        at * 3
      )
    }
  }
  return rgb
}

/** Linear radiance as a display shows it: white from 1 on, gamma 2.2. */
function displayed(radiance: Float32Array): Uint8Array {
  return Uint8Array.from(radiance, (value) => Math.round(255 * Math.min(1, value) ** (1 / 2.2)))
}
