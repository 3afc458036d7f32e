import type { UnitShape } from '../matmul/blocks.ts'
import { multiplyPanels, type PanelKind } from '../matmul/panels.ts'

/** Eight columns are 8 KiB, as int16. */
const PANELS: PanelKind = { unpack: 'widen', stepsAWord: 4, stepsAPanel: 512, elementBytes: 2 }

/**
 * C = A × B from packed blocks (see `layout.ts`), by `shaders/matmul-i8.as.ts`. Exact: a pair of products is at
 * most 2^15 in size, a sum 2^26.
 *
 * @returns row-major int32, rows × columns, as bytes
 */
export const multiplySimd = (
  exports: WebAssembly.Exports,
  blocks: { readonly a: Uint8Array; readonly b: Uint8Array },
  shape: UnitShape
): Generator<number, Uint8Array> => multiplyPanels(exports, blocks, shape, PANELS)
