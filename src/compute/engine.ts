export type BackendKind = 'webgpu' | 'cpu'

/** Coarse on purpose: an exact adapter name would be a fingerprint. */
export interface DeviceClass {
  readonly backend: BackendKind
  /** Such as `webgpu-swiftshader`, `webgpu-nvidia`, `cpu-2`. Letters, digits, hyphens. */
  readonly class: string
  /** Bytes that one kernel can bind, in coarse steps (`memory.ts`). @default not known */
  readonly memory?: number
}

/** A shared input part by its name, the hash over those of its chunks (lower-case hex). */
export interface PartRef {
  readonly hash: string
  readonly bytes: Uint8Array
}

export interface EngineUnit {
  readonly skill: string
  readonly params: readonly number[]
  readonly data: Uint8Array
  readonly parts: readonly PartRef[]
}

export interface RunOptions {
  readonly signal?: AbortSignal
  /** Share of the unit done, 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/**
 * Computes units and checks results off the main thread. One engine a node. Parts travel to the workers once
 * and are dropped least recently used first (limit: 256 MiB).
 */
export interface Engine {
  readonly device: DeviceClass
  /** Units that run side by side (workers of the CPU backend; 2 on WebGPU, to overlap copies and work). */
  readonly concurrency: number
  /** Skills by name with the SHA-256 (32 bytes) of their kernels and manifest. */
  readonly kernels: ReadonlyMap<string, Uint8Array>

  /**
   * @throws ComputeError `UNKNOWN_SKILL`, `BAD_UNIT`, `TIMEOUT`, `DEVICE_LOST`, `OUT_OF_MEMORY`, `WORKER_CRASHED`,
   *   `KERNEL_FAILED`, `CLOSED`; the SwarmError that the skill throws (SkillError `BAD_UNIT`); or the signal's reason
   */
  run(unit: EngineUnit, options?: RunOptions): Promise<Uint8Array>

  /**
   * The skill's own check, on a CPU worker, never on the GPU.
   *
   * @param seed 32 fresh random bytes, drawn after the result arrived
   */
  verify(unit: EngineUnit, result: Uint8Array, seed: Uint8Array, options?: RunOptions): Promise<boolean>

  /**
   * Makes the skill ready before its first unit: its pipeline compiled, its WebAssembly there. Never rejects; gives way
   * to units. @default nothing is made ready
   */
  warm?(skill: string): Promise<void>

  /** Share of time that the device computes, .05 to 1. Takes effect at the next slice. */
  setPower(share: number): void
  /** Ends all workers at once; what runs fails with `CLOSED`. */
  close(): void
}

/** Where the winners of the comparison of kernel variants are kept between two lives of a node. */
export interface TuningMemory {
  /** @param key letters, digits, hyphens and a slash: device class and kernel hash */
  read(key: string): Promise<string | undefined>
  write(key: string, winner: string): Promise<void>
}

/**
 * Who shares the device: `page`: a person, whose page must stay smooth (slices of 8 to 30 ms). `kiosk`: nobody (50 to
 * 200 ms).
 */
export type Profile = 'page' | 'kiosk'

/**
 * A worker that is not this build's: one whose file calls `serveSkills()`. A page makes it (bundlers know `new Worker(new
 * URL('./my-worker.js', import.meta.url), { type: 'module' })`), a Node program says where it is.
 */
export type WorkerSource = URL | (() => Worker)

export interface EngineInit {
  /** @default 'auto': WebGPU if there is an adapter, else CPU */
  readonly backend?: BackendKind | 'auto'
  /** Workers of the CPU backend. @default cores − 1, at least 1, at most 4 */
  readonly workers?: number
  /** @default this build's own */
  readonly worker?: WorkerSource | undefined
  /** @default 1 */
  readonly power?: number
  /** @default 'page' */
  readonly profile?: Profile
  /** With it, kernel variants are compared in the background, once a device class. @default no comparison */
  readonly tuning?: TuningMemory | undefined
}
