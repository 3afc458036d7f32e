import type { TuningMemory } from '../compute/index.ts'
import type { Table } from '../store/index.ts'

/** Keeps winners beside the node's other small things. Losing one costs a measurement: no need of `strict`. */
export function tuningMemory(meta: Table): TuningMemory {
  const keyOf = (key: string) => `tuning/${key}`
  return {
    async read(key) {
      const winner = await meta.get(keyOf(key))
      return winner && new TextDecoder().decode(winner)
    },
    write: (key, winner) => meta.put(keyOf(key), new TextEncoder().encode(winner), { relaxed: true })
  }
}
