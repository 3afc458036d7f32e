// Eight by eight outputs in registers, no shared memory: most work a load, most registers.
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = clamp(shape.rows, 1u, 4096u);
  let steps = clamp(shape.steps, 1u, 4096u);
  let columns = clamp(shape.columns, 1u, 4096u);
  let row = min(shape.first_row, 4096u) + id.y * 8u;
  let column = min(shape.first_column, 4096u) + id.x * 8u;
  if (row >= rows || column >= columns) {
    return;
  }
  let a_stride = (rows + 3u) / 4u;
  let b_stride = (columns + 3u) / 4u;
  // a tile that hangs over the edge computes its last vector twice, and stores it once
  var a_at = row / 4u;
  let a_next = min(row / 4u + 1u, a_stride - 1u) - row / 4u;
  var b_at = column / 4u;
  let b_next = min(column / 4u + 1u, b_stride - 1u) - column / 4u;
  var l0 = vec4<f32>();
  var r0 = vec4<f32>();
  var l1 = vec4<f32>();
  var r1 = vec4<f32>();
  var l2 = vec4<f32>();
  var r2 = vec4<f32>();
  var l3 = vec4<f32>();
  var r3 = vec4<f32>();
  var l4 = vec4<f32>();
  var r4 = vec4<f32>();
  var l5 = vec4<f32>();
  var r5 = vec4<f32>();
  var l6 = vec4<f32>();
  var r6 = vec4<f32>();
  var l7 = vec4<f32>();
  var r7 = vec4<f32>();
  for (var step = 0u; step < steps; step++) {
    let left = b[b_at];
    let right = b[b_at + b_next];
    let x0 = a[a_at];
    let x1 = a[a_at + a_next];
    l0 += x0.x * left;
    r0 += x0.x * right;
    l1 += x0.y * left;
    r1 += x0.y * right;
    l2 += x0.z * left;
    r2 += x0.z * right;
    l3 += x0.w * left;
    r3 += x0.w * right;
    l4 += x1.x * left;
    r4 += x1.x * right;
    l5 += x1.y * left;
    r5 += x1.y * right;
    l6 += x1.z * left;
    r6 += x1.z * right;
    l7 += x1.w * left;
    r7 += x1.w * right;
    a_at += a_stride;
    b_at += b_stride;
  }
  store(row, column, l0);
  store(row, column + 4u, r0);
  store(row + 1u, column, l1);
  store(row + 1u, column + 4u, r1);
  store(row + 2u, column, l2);
  store(row + 2u, column + 4u, r2);
  store(row + 3u, column, l3);
  store(row + 3u, column + 4u, r3);
  store(row + 4u, column, l4);
  store(row + 4u, column + 4u, r4);
  store(row + 5u, column, l5);
  store(row + 5u, column + 4u, r5);
  store(row + 6u, column, l6);
  store(row + 6u, column + 4u, r6);
  store(row + 7u, column, l7);
  store(row + 7u, column + 4u, r7);
}
