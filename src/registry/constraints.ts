import type { Advert } from '../wire/index.ts'

/** What a provider must have besides the skill. What is left out does not matter. */
export interface Constraints {
  /** SHA-256 (32 bytes) of the skill's kernels and manifest. */
  readonly kernel?: Uint8Array
  /** The skill's version, exactly. */
  readonly version?: string
  /** Thousandths of the published cost that the requester pays at most. */
  readonly priceMax?: number
  readonly backend?: Advert['device']['backend']
  /** Coarse device class, exactly: `webgpu-nvidia`. */
  readonly deviceClass?: string
  /** Bytes that one kernel must be able to bind. A device that does not say how many has none. */
  readonly memoryMin?: number
}

/** Whether the advert offers the skill within the constraints. */
export function offers(advert: Advert, skill: string, constraints: Constraints = {}): boolean {
  const { kernel, version, priceMax, backend, deviceClass, memoryMin } = constraints
  const { device } = advert
  return (
    (backend === undefined || device.backend === backend) &&
    (deviceClass === undefined || device.class === deviceClass) &&
    (memoryMin === undefined || device.memory >= memoryMin) &&
    advert.skills.some(
      (one) =>
        one.name === skill &&
        (version === undefined || one.version === version) &&
        (kernel === undefined || isEqual(one.kernel, kernel)) &&
        (priceMax === undefined || one.rate <= priceMax)
    )
  )
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i])
}
