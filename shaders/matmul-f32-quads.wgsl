// Eight by eight outputs in registers, rows of A shared by quads of lanes: each lane loads one step of four, and hands
// it to the others. Lanes of a quad must lie side by side along x, as devices lay them, though no standard says so:
// elsewhere the result is wrong, and the tuner does not take it.
@compute @workgroup_size(8, 8)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32
) {
  let rows = clamp(shape.rows, 1u, 4096u);
  let steps = clamp(shape.steps, 1u, 4096u);
  let columns = clamp(shape.columns, 1u, 4096u);
  let row = min(shape.first_row, 4096u) + id.y * 8u;
  let column = min(shape.first_column, 4096u) + id.x * 8u;
  let a_stride = (rows + 3u) / 4u;
  let b_stride = (columns + 3u) / 4u;
  // no lane may leave its quad: tiles beyond the edge compute what nobody stores
  let a_top = min(row / 4u, a_stride - 1u);
  let a_bottom = min(row / 4u + 1u, a_stride - 1u);
  let b_left = min(column / 4u, b_stride - 1u);
  let b_right = min(column / 4u + 1u, b_stride - 1u);
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
  for (var step = 0u; step < steps; step += 4u) {
    // beyond the end steps of zeros
    let mine = step + (lane & 3u);
    let weight = f32(mine < steps);
    let a_at = min(mine, steps - 1u) * a_stride;
    let top = a[a_at + a_top] * weight;
    let bottom = a[a_at + a_bottom] * weight;
    let b_at0 = step * b_stride;
    let y0 = b[b_at0 + b_left];
    let z0 = b[b_at0 + b_right];
    let x0 = quadBroadcast(top, 0u);
    let u0 = quadBroadcast(bottom, 0u);
    let b_at1 = min(step + 1u, steps - 1u) * b_stride;
    let y1 = b[b_at1 + b_left];
    let z1 = b[b_at1 + b_right];
    let x1 = quadBroadcast(top, 1u);
    let u1 = quadBroadcast(bottom, 1u);
    let b_at2 = min(step + 2u, steps - 1u) * b_stride;
    let y2 = b[b_at2 + b_left];
    let z2 = b[b_at2 + b_right];
    let x2 = quadBroadcast(top, 2u);
    let u2 = quadBroadcast(bottom, 2u);
    let b_at3 = min(step + 3u, steps - 1u) * b_stride;
    let y3 = b[b_at3 + b_left];
    let z3 = b[b_at3 + b_right];
    let x3 = quadBroadcast(top, 3u);
    let u3 = quadBroadcast(bottom, 3u);
    l0 += x0.x * y0 + x1.x * y1 + x2.x * y2 + x3.x * y3;
    r0 += x0.x * z0 + x1.x * z1 + x2.x * z2 + x3.x * z3;
    l1 += x0.y * y0 + x1.y * y1 + x2.y * y2 + x3.y * y3;
    r1 += x0.y * z0 + x1.y * z1 + x2.y * z2 + x3.y * z3;
    l2 += x0.z * y0 + x1.z * y1 + x2.z * y2 + x3.z * y3;
    r2 += x0.z * z0 + x1.z * z1 + x2.z * z2 + x3.z * z3;
    l3 += x0.w * y0 + x1.w * y1 + x2.w * y2 + x3.w * y3;
    r3 += x0.w * z0 + x1.w * z1 + x2.w * z2 + x3.w * z3;
    l4 += u0.x * y0 + u1.x * y1 + u2.x * y2 + u3.x * y3;
    r4 += u0.x * z0 + u1.x * z1 + u2.x * z2 + u3.x * z3;
    l5 += u0.y * y0 + u1.y * y1 + u2.y * y2 + u3.y * y3;
    r5 += u0.y * z0 + u1.y * z1 + u2.y * z2 + u3.y * z3;
    l6 += u0.z * y0 + u1.z * y1 + u2.z * y2 + u3.z * y3;
    r6 += u0.z * z0 + u1.z * z1 + u2.z * z2 + u3.z * z3;
    l7 += u0.w * y0 + u1.w * y1 + u2.w * y2 + u3.w * y3;
    r7 += u0.w * z0 + u1.w * z1 + u2.w * z2 + u3.w * z3;
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
