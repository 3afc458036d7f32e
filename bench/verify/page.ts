import { createEngine } from '../../src/compute/index.ts'
import { skillByName } from '../../src/skills/index.ts'
import { unitsOf } from './jobs.ts'

/** What the bench asks of its page. */
export interface HonestPage {
  /** The results of a job's units in base64, by WebGPU. */
  results(skill: string, seed: number): Promise<string[]>
}

declare global {
  interface Window {
    honest?: HonestPage
  }
}

const engine = await createEngine({ backend: 'webgpu' })

window.honest = {
  results: (name, seed) =>
    Promise.all(
      unitsOf(skillByName(name), seed).map(async ({ params, data, parts }, index) => {
        const named = parts.map((bytes, part) => ({ hash: `${name}/${seed}/${index}/${part}`, bytes }))
        const result = await engine.run({ skill: name, params, data, parts: named })
        return base64(result)
      })
    )
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    text += String.fromCharCode(byte)
  }
  return btoa(text)
}
