// Four by eight outputs in registers, no shared memory.
fn dots(x: u32, y: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(dot4(x, y.x), dot4(x, y.y), dot4(x, y.z), dot4(x, y.w));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = clamp(shape.rows, 1u, 4096u);
  let quads = clamp(shape.quads, 1u, 1024u);
  let columns = clamp(shape.columns, 1u, 4096u);
  let row = min(shape.first_row, 4096u) + id.y * 4u;
  let column = min(shape.first_column, 4096u) + id.x * 8u;
  if (row >= rows || column >= columns) {
    return;
  }
  let a_stride = (rows + 3u) / 4u;
  let b_stride = (columns + 3u) / 4u;
  // a tile that hangs over the edge computes its last vector twice, and stores it once
  var a_at = row / 4u;
  var b_at = column / 4u;
  let b_next = min(column / 4u + 1u, b_stride - 1u) - column / 4u;
  var s0_0 = vec4<i32>();
  var s0_1 = vec4<i32>();
  var s1_0 = vec4<i32>();
  var s1_1 = vec4<i32>();
  var s2_0 = vec4<i32>();
  var s2_1 = vec4<i32>();
  var s3_0 = vec4<i32>();
  var s3_1 = vec4<i32>();
  for (var quad = 0u; quad < quads; quad++) {
    let x0 = a[a_at];
    let y0 = b[b_at];
    let y1 = b[b_at + b_next];
    s0_0 += dots(x0.x, y0);
    s0_1 += dots(x0.x, y1);
    s1_0 += dots(x0.y, y0);
    s1_1 += dots(x0.y, y1);
    s2_0 += dots(x0.z, y0);
    s2_1 += dots(x0.z, y1);
    s3_0 += dots(x0.w, y0);
    s3_1 += dots(x0.w, y1);
    a_at += a_stride;
    b_at += b_stride;
  }
  store(row, column, s0_0);
  store(row, column + 4u, s0_1);
  store(row + 1u, column, s1_0);
  store(row + 1u, column + 4u, s1_1);
  store(row + 2u, column, s2_0);
  store(row + 2u, column + 4u, s2_1);
  store(row + 3u, column, s3_0);
  store(row + 3u, column + 4u, s3_1);
}
