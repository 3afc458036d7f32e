// C = A × B for int8. A word holds four neighbours along K; words of one K-quad lie side by side, so that
// neighbouring threads read neighbouring words. Each variant follows this with its own `main`.

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

fn store(row: u32, column: u32, sums: vec4<i32>) {
  let rows = clamp(shape.rows, 1u, 4096u);
  let columns = clamp(shape.columns, 1u, 4096u);
  if (row >= rows || column >= columns) {
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

