/**
 * WGSL of large register tiles for matrix products, written out by size: loops over a tile would index its sums, and
 * no compiler is sure to keep those in registers. An invocation's columns lie a workgroup's width apart, so that
 * neighbours read and write neighbouring words; several steps of K go into one sum between two stores of it, since a
 * software adapter keeps the sums in memory. Follows `matmul-i8-common` or `matmul-f32-common`, whose `a` and `b` it
 * reads by words: see `byWords`.
 */

/** Outputs of one invocation, and the invocations of a workgroup. */
export interface Tile {
  readonly rows: number
  readonly columns: number
  readonly across: number
  readonly down: number
}

/** Rounds of a loop that are written out. */
const QUADS = 2
const STEPS = 4
/** The most K-quads whose products float32 adds exactly: 1,024 of at most 2^14. */
const EXACT_QUADS = 256

const BYTES = ['first', 'second', 'third', 'fourth'] as const

/** The same declarations with `a` and `b` as words in place of vectors of four. */
export function byWords(common: string): string {
  return common.replace(/array<vec4<(u32|f32)>>/g, 'array<$1>')
}

/**
 * `main` of C = A × B for int8, multiplied as floats: follows `matmul-i8-float`.
 *
 * @param tile outputs of an invocation, and invocations of a workgroup
 */
export function byteTile(tile: Tile): string {
  const sums = outputs(tile)
  const round = (rounds: number): string[] => [
    ...count(rounds).flatMap((at) => [
      ...offsets('quad', at),
      ...count(tile.columns).flatMap((column) => [
        `let w${column}_${at} = b[b_at${at} + b${column}];`,
        ...BYTES.map((byte, k) => `let y${column}_${at * 4 + k} = ${byte}(w${column}_${at});`)
      ])
    ]),
    ...count(tile.rows).flatMap((row) => [
      ...count(rounds).flatMap((at) => [
        `let v${row}_${at} = a[a_at${at} + a${row}];`,
        ...BYTES.map((byte, k) => `let x${row}_${at * 4 + k} = ${byte}(v${row}_${at});`)
      ]),
      ...addProducts(tile, row, rounds * 4)
    ])
  ]
  return main(tile, 'quads', 1024, false, [
    ...count(tile.rows).map((row) => `let a${row} = min(row + ${row}u, a_stride - 1u);`),
    ...sums.map((sum) => `var t${sum} = 0;`),
    `for (var start = 0u; start < quads; start += ${EXACT_QUADS}u) {`,
    `let end = min(start + ${EXACT_QUADS}u, quads);`,
    `let whole = end / ${QUADS}u * ${QUADS}u;`,
    ...sums.map((sum) => `var s${sum} = 0.0;`),
    `for (var quad = start; quad < whole; quad += ${QUADS}u) {`,
    ...round(QUADS),
    '}',
    'for (var quad = whole; quad < end; quad++) {',
    ...round(1),
    '}',
    ...sums.map((sum) => `t${sum} += whole_number(s${sum});`),
    '}',
    ...store(tile, 't')
  ])
}

/**
 * `main` of C = A × B for f32, where quads of lanes share rows of A: each lane loads one of four, and hands it to the
 * others. Lanes of a quad must lie side by side along x, as devices lay them, though no standard says so: elsewhere
 * the result is wrong, and the tuner does not take it. Needs `subgroups`.
 *
 * @param tile outputs of an invocation, and invocations of a workgroup; rows and `across` are multiples of four
 */
export function quadTile(tile: Tile): string {
  const sums = outputs(tile)
  const round = (rounds: number): string[] => [
    ...count(rounds).flatMap((at) => [
      ...offsets('step', at),
      ...count(tile.columns).map((column) => `let y${column}_${at} = b[b_at${at} + b${column}];`),
      ...count(tile.rows / 4).map((row) => `let v${row}_${at} = a[a_at${at} + a${row}];`)
    ]),
    ...count(tile.rows).flatMap((row) => [
      ...count(rounds).map((at) => `let x${row}_${at} = quadBroadcast(v${row >> 2}_${at}, ${row & 3}u);`),
      ...addProducts(tile, row, rounds)
    ])
  ]
  return main(tile, 'steps', 4096, true, [
    ...count(tile.rows / 4).map(
      (row) => `let a${row} = min(row + ${4 * row}u + (lane & 3u), a_stride - 1u);`
    ),
    `let whole = steps / ${STEPS}u * ${STEPS}u;`,
    ...sums.map((sum) => `var s${sum} = 0.0;`),
    `for (var step = 0u; step < whole; step += ${STEPS}u) {`,
    ...round(STEPS),
    '}',
    'for (var step = whole; step < steps; step++) {',
    ...round(1),
    '}',
    ...store(tile, 's')
  ])
}

/** @param together whether no invocation may leave its subgroup: tiles beyond the edge compute what nobody stores */
function main(tile: Tile, depth: string, most: number, together: boolean, body: readonly string[]): string {
  return [
    `@compute @workgroup_size(${tile.across}, ${tile.down})`,
    'fn main(@builtin(global_invocation_id) id: vec3<u32>) {',
    'let rows = clamp(shape.rows, 1u, 4096u);',
    `let ${depth} = clamp(shape.${depth}, 1u, ${most}u);`,
    'let columns = clamp(shape.columns, 1u, 4096u);',
    `let lane = id.x % ${tile.across}u;`,
    `let row = min(shape.first_row, 4096u) + id.y * ${tile.rows}u;`,
    `let column = min(shape.first_column, 4096u) + (id.x - lane) * ${tile.columns}u + lane;`,
    ...(together ? [] : ['if (row >= rows || column >= columns) { return; }']),
    'let a_stride = (rows + 3u) / 4u * 4u;',
    'let b_stride = (columns + 3u) / 4u * 4u;',
    ...count(tile.columns).map(
      (column) => `let b${column} = min(column + ${column * tile.across}u, b_stride - 1u);`
    ),
    ...body,
    '}'
  ].join('\n')
}

const offsets = (depth: string, at: number): string[] => [
  `let a_at${at} = (${depth} + ${at}u) * a_stride;`,
  `let b_at${at} = (${depth} + ${at}u) * b_stride;`
]

/** Adds to a row's sums the products of `terms` steps of K, in one expression each. */
function addProducts(tile: Tile, row: number, terms: number): string[] {
  return count(tile.columns).map((column) => {
    const sum = `s${row * tile.columns + column}`
    const added = count(terms).reduce(
      (inner, term) => `fma(x${row}_${term}, y${column}_${term}, ${inner})`,
      sum
    )
    return `${sum} = ${added};`
  })
}

function store(tile: Tile, sums: string): string[] {
  return count(tile.rows).flatMap((row) => [
    `if (row + ${row}u < rows) {`,
    `let at = (row + ${row}u) * columns + column;`,
    ...count(tile.columns).map((column) => {
      const right = column * tile.across
      return `if (column + ${right}u < columns) { c[at + ${right}u] = ${sums}${row * tile.columns + column}; }`
    }),
    '}'
  ])
}

const outputs = ({ rows, columns }: Tile): number[] => count(rows * columns)

function count(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}
