import { isPlaneView, type PlaneView } from './mandelbrot-zoom.ts'

export const PLANE_KEY = 'swarmharness.views'
/** Views that are kept, the newest: more than the page lists jobs. */
const KEPT = 64

type Entry = readonly [job: string, view: PlaneView]

const isEntry = (value: unknown): value is Entry =>
  Array.isArray(value) && typeof value[0] === 'string' && isPlaneView(value[1])

/**
 * What the Mandelbrot jobs of this browser look at, by job id, in `localStorage`: a node keeps what came out of a job,
 * not what went in, and from that alone nobody could zoom.
 */
export class PlaneBook {
  readonly #storage: () => Storage

  constructor(storage: () => Storage) {
    this.#storage = storage
  }

  get(job: string): PlaneView | undefined {
    return this.#read().find(([id]) => id === job)?.[1]
  }

  put(job: string, view: PlaneView): void {
    const others = this.#read().filter(([id]) => id !== job)
    const entries = [...others, [job, view]].slice(-KEPT)
    try {
      this.#storage().setItem(PLANE_KEY, JSON.stringify(entries))
    } catch {
      // Denied or full: it can be zoomed until the page is left.
    }
  }

  #read(): readonly Entry[] {
    try {
      const stored: unknown = JSON.parse(this.#storage().getItem(PLANE_KEY) ?? '[]')
      return Array.isArray(stored) ? stored.filter(isEntry) : []
    } catch {
      return [] // Denied storage holds none, and what is not JSON is not ours.
    }
  }
}
