// C = A × B for int8 in four-by-four register tiles, no shared memory: barriers cost more than they save on
// software adapters. A word holds four neighbours along K; words of one K-quad lie side by side, so that
// neighbouring threads read neighbouring words. `dot4` comes from the variant's prelude.

struct Shape {
  rows: u32,
  quads: u32,
  columns: u32,
  first_row: u32,
  first_column: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<u32>>;
@group(0) @binding(2) var<uniform> shape: Shape;
@group(0) @binding(3) var<storage, read_write> c: array<i32>;

fn dots(x: u32, y: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(dot4(x, y.x), dot4(x, y.y), dot4(x, y.z), dot4(x, y.w));
}

fn store(row: u32, column: u32, rows: u32, columns: u32, sums: vec4<i32>) {
  if (row >= rows) {
    return;
  }
  let at = row * columns + column;
  c[at] = sums.x;
  if (column + 1u < columns) {
    c[at + 1u] = sums.y;
  }
  if (column + 2u < columns) {
    c[at + 2u] = sums.z;
  }
  if (column + 3u < columns) {
    c[at + 3u] = sums.w;
  }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = clamp(shape.rows, 1u, 4096u);
  let quads = clamp(shape.quads, 1u, 1024u);
  let columns = clamp(shape.columns, 1u, 4096u);
  let row = min(shape.first_row, 4096u) + id.y * 4u;
  let column = min(shape.first_column, 4096u) + id.x * 4u;
  if (row >= rows || column >= columns) {
    return;
  }
  let a_stride = (rows + 3u) / 4u;
  let b_stride = (columns + 3u) / 4u;
  let a_start = row / 4u;
  let b_start = column / 4u;
  var s0 = vec4<i32>();
  var s1 = vec4<i32>();
  var s2 = vec4<i32>();
  var s3 = vec4<i32>();
  for (var quad = 0u; quad < quads; quad++) {
    let x = a[a_start + quad * a_stride];
    let y = b[b_start + quad * b_stride];
    s0 += dots(x.x, y);
    s1 += dots(x.y, y);
    s2 += dots(x.z, y);
    s3 += dots(x.w, y);
  }
  store(row, column, rows, columns, s0);
  store(row + 1u, column, rows, columns, s1);
  store(row + 2u, column, rows, columns, s2);
  store(row + 3u, column, rows, columns, s3);
}
