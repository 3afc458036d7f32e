import { WASM } from './generated.ts'

/** A module compiled from `shaders/<name>.as.ts`. */
export type WasmModule = keyof typeof WASM

/** The binary of a module. */
export const wasmBytes = (module: WasmModule): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(WASM[module]), (character) => character.charCodeAt(0))
