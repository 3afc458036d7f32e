import type { GpuDispatch } from '../skill.ts'

/** Outputs of one workgroup. */
export interface GroupSize {
  readonly rows: number
  readonly columns: number
}

/**
 * Dispatches of at most `grain` operations, but at least one workgroup, that together fill C.
 *
 * @param steps what the kernel counts along K
 * @param operations of a block of C, by its rows and columns
 */
export function dispatches(
  shape: { readonly rows: number; readonly steps: number; readonly columns: number },
  group: GroupSize,
  grain: number,
  operations: (rows: number, columns: number) => number
): GpuDispatch[] {
  const { rows, steps, columns } = shape
  const groups = Math.max(1, Math.floor(grain / operations(group.rows, group.columns)))
  const across = Math.min(Math.ceil(columns / group.columns), groups)
  const down = Math.min(Math.ceil(rows / group.rows), Math.max(1, Math.floor(groups / across)))
  const list: GpuDispatch[] = []
  for (let top = 0; top < rows; top += down * group.rows) {
    for (let left = 0; left < columns; left += across * group.columns) {
      const height = Math.min(rows - top, down * group.rows)
      const width = Math.min(columns - left, across * group.columns)
      list.push({
        uniform: new Uint8Array(new Uint32Array([rows, steps, columns, top, left, 0, 0, 0]).buffer),
        workgroups: [Math.ceil(width / group.columns), Math.ceil(height / group.rows), 1],
        operations: operations(height, width)
      })
    }
  }
  return list
}
