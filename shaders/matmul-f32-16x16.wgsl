// Sixteen by sixteen outputs, two steps at a time: least loads an output, for software adapters, where a load costs
// more than a product and everything lies in memory anyway.
@compute @workgroup_size(4, 4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = clamp(shape.rows, 1u, 4096u);
  let steps = clamp(shape.steps, 1u, 4096u);
  let columns = clamp(shape.columns, 1u, 4096u);
  let row = min(shape.first_row, 4096u) + id.y * 16u;
  let column = min(shape.first_column, 4096u) + id.x * 16u;
  if (row >= rows || column >= columns) {
    return;
  }
  let a_stride = (rows + 3u) / 4u;
  let b_stride = (columns + 3u) / 4u;
  // a tile that hangs over the edge computes its last vector again, and stores it once
  let a_first = row / 4u;
  let a_second = min(a_first + 1u, a_stride - 1u);
  let a_third = min(a_first + 2u, a_stride - 1u);
  let a_fourth = min(a_first + 3u, a_stride - 1u);
  let b_first = column / 4u;
  let b_second = min(b_first + 1u, b_stride - 1u);
  let b_third = min(b_first + 2u, b_stride - 1u);
  let b_fourth = min(b_first + 3u, b_stride - 1u);
  var s = array<vec4<f32>, 64>();
  for (var step = 0u; step < steps; step += 2u) {
    // beyond an odd end a step of zeros
    let next = min(step + 1u, steps - 1u);
    let weight = f32(next - step);
    let a_at = step * a_stride;
    let a_next = next * a_stride;
    let b_at = step * b_stride;
    let b_next = next * b_stride;
    let x0 = a[a_at + a_first];
    let x1 = a[a_at + a_second];
    let x2 = a[a_at + a_third];
    let x3 = a[a_at + a_fourth];
    let u0 = a[a_next + a_first] * weight;
    let u1 = a[a_next + a_second] * weight;
    let u2 = a[a_next + a_third] * weight;
    let u3 = a[a_next + a_fourth] * weight;
    let y0 = b[b_at + b_first];
    let y1 = b[b_at + b_second];
    let y2 = b[b_at + b_third];
    let y3 = b[b_at + b_fourth];
    let v0 = b[b_next + b_first];
    let v1 = b[b_next + b_second];
    let v2 = b[b_next + b_third];
    let v3 = b[b_next + b_fourth];
    s[0] += x0.x * y0 + u0.x * v0;
    s[1] += x0.x * y1 + u0.x * v1;
    s[2] += x0.x * y2 + u0.x * v2;
    s[3] += x0.x * y3 + u0.x * v3;
    s[4] += x0.y * y0 + u0.y * v0;
    s[5] += x0.y * y1 + u0.y * v1;
    s[6] += x0.y * y2 + u0.y * v2;
    s[7] += x0.y * y3 + u0.y * v3;
    s[8] += x0.z * y0 + u0.z * v0;
    s[9] += x0.z * y1 + u0.z * v1;
    s[10] += x0.z * y2 + u0.z * v2;
    s[11] += x0.z * y3 + u0.z * v3;
    s[12] += x0.w * y0 + u0.w * v0;
    s[13] += x0.w * y1 + u0.w * v1;
    s[14] += x0.w * y2 + u0.w * v2;
    s[15] += x0.w * y3 + u0.w * v3;
    s[16] += x1.x * y0 + u1.x * v0;
    s[17] += x1.x * y1 + u1.x * v1;
    s[18] += x1.x * y2 + u1.x * v2;
    s[19] += x1.x * y3 + u1.x * v3;
    s[20] += x1.y * y0 + u1.y * v0;
    s[21] += x1.y * y1 + u1.y * v1;
    s[22] += x1.y * y2 + u1.y * v2;
    s[23] += x1.y * y3 + u1.y * v3;
    s[24] += x1.z * y0 + u1.z * v0;
    s[25] += x1.z * y1 + u1.z * v1;
    s[26] += x1.z * y2 + u1.z * v2;
    s[27] += x1.z * y3 + u1.z * v3;
    s[28] += x1.w * y0 + u1.w * v0;
    s[29] += x1.w * y1 + u1.w * v1;
    s[30] += x1.w * y2 + u1.w * v2;
    s[31] += x1.w * y3 + u1.w * v3;
    s[32] += x2.x * y0 + u2.x * v0;
    s[33] += x2.x * y1 + u2.x * v1;
    s[34] += x2.x * y2 + u2.x * v2;
    s[35] += x2.x * y3 + u2.x * v3;
    s[36] += x2.y * y0 + u2.y * v0;
    s[37] += x2.y * y1 + u2.y * v1;
    s[38] += x2.y * y2 + u2.y * v2;
    s[39] += x2.y * y3 + u2.y * v3;
    s[40] += x2.z * y0 + u2.z * v0;
    s[41] += x2.z * y1 + u2.z * v1;
    s[42] += x2.z * y2 + u2.z * v2;
    s[43] += x2.z * y3 + u2.z * v3;
    s[44] += x2.w * y0 + u2.w * v0;
    s[45] += x2.w * y1 + u2.w * v1;
    s[46] += x2.w * y2 + u2.w * v2;
    s[47] += x2.w * y3 + u2.w * v3;
    s[48] += x3.x * y0 + u3.x * v0;
    s[49] += x3.x * y1 + u3.x * v1;
    s[50] += x3.x * y2 + u3.x * v2;
    s[51] += x3.x * y3 + u3.x * v3;
    s[52] += x3.y * y0 + u3.y * v0;
    s[53] += x3.y * y1 + u3.y * v1;
    s[54] += x3.y * y2 + u3.y * v2;
    s[55] += x3.y * y3 + u3.y * v3;
    s[56] += x3.z * y0 + u3.z * v0;
    s[57] += x3.z * y1 + u3.z * v1;
    s[58] += x3.z * y2 + u3.z * v2;
    s[59] += x3.z * y3 + u3.z * v3;
    s[60] += x3.w * y0 + u3.w * v0;
    s[61] += x3.w * y1 + u3.w * v1;
    s[62] += x3.w * y2 + u3.w * v2;
    s[63] += x3.w * y3 + u3.w * v3;
  }
  for (var line = 0u; line < 16u; line++) {
    for (var vector = 0u; vector < 4u; vector++) {
      store(row + line, column + vector * 4u, s[line * 4u + vector]);
    }
  }
}
