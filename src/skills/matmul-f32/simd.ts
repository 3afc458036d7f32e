import type { UnitShape } from '../matmul/blocks.ts'
import { multiplyPanels, type PanelKind } from '../matmul/panels.ts'

/** Eight columns are 8 KiB. */
const PANELS: PanelKind = { unpack: 'gather', stepsAWord: 1, stepsAPanel: 256, elementBytes: 4 }

/**
 * C = A × B from packed blocks (see `layout.ts`), by `shaders/matmul-f32.as.ts`: float32 sums over blocks of K.
 *
 * @returns row-major float32, rows × columns, as bytes
 */
export const multiplySimd = (
  exports: WebAssembly.Exports,
  blocks: { readonly a: Uint8Array; readonly b: Uint8Array },
  shape: UnitShape
): Generator<number, Uint8Array> => multiplyPanels(exports, blocks, shape, PANELS)
