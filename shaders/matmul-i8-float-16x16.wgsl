// Sixteen by sixteen outputs: least loads an output, for software adapters, where a load costs more than a product
// and everything lies in memory anyway.
@compute @workgroup_size(4, 4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = clamp(shape.rows, 1u, 4096u);
  let quads = clamp(shape.quads, 1u, 1024u);
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
  let b_first = column / 4u;
  var sums = array<vec4<i32>, 64>();
  for (var start = 0u; start < quads; start += 256u) {
    let end = min(start + 256u, quads);
    // without the value SwiftShader goes on with the last block's sums
    var s = array<vec4<f32>, 64>();
    for (var quad = start; quad < end; quad++) {
      let a_at = quad * a_stride;
      let b_at = quad * b_stride;
      let b0 = b[b_at + min(b_first + 0u, b_stride - 1u)];
      let y0_0 = first(b0);
      let y0_1 = second(b0);
      let y0_2 = third(b0);
      let y0_3 = fourth(b0);
      let b1 = b[b_at + min(b_first + 1u, b_stride - 1u)];
      let y1_0 = first(b1);
      let y1_1 = second(b1);
      let y1_2 = third(b1);
      let y1_3 = fourth(b1);
      let b2 = b[b_at + min(b_first + 2u, b_stride - 1u)];
      let y2_0 = first(b2);
      let y2_1 = second(b2);
      let y2_2 = third(b2);
      let y2_3 = fourth(b2);
      let b3 = b[b_at + min(b_first + 3u, b_stride - 1u)];
      let y3_0 = first(b3);
      let y3_1 = second(b3);
      let y3_2 = third(b3);
      let y3_3 = fourth(b3);
      let a0 = a[a_at + min(a_first + 0u, a_stride - 1u)];
      let x0_0 = first(a0);
      let x0_1 = second(a0);
      let x0_2 = third(a0);
      let x0_3 = fourth(a0);
      s[0] += x0_0.x * y0_0 + x0_1.x * y0_1 + x0_2.x * y0_2 + x0_3.x * y0_3;
      s[1] += x0_0.x * y1_0 + x0_1.x * y1_1 + x0_2.x * y1_2 + x0_3.x * y1_3;
      s[2] += x0_0.x * y2_0 + x0_1.x * y2_1 + x0_2.x * y2_2 + x0_3.x * y2_3;
      s[3] += x0_0.x * y3_0 + x0_1.x * y3_1 + x0_2.x * y3_2 + x0_3.x * y3_3;
      s[4] += x0_0.y * y0_0 + x0_1.y * y0_1 + x0_2.y * y0_2 + x0_3.y * y0_3;
      s[5] += x0_0.y * y1_0 + x0_1.y * y1_1 + x0_2.y * y1_2 + x0_3.y * y1_3;
      s[6] += x0_0.y * y2_0 + x0_1.y * y2_1 + x0_2.y * y2_2 + x0_3.y * y2_3;
      s[7] += x0_0.y * y3_0 + x0_1.y * y3_1 + x0_2.y * y3_2 + x0_3.y * y3_3;
      s[8] += x0_0.z * y0_0 + x0_1.z * y0_1 + x0_2.z * y0_2 + x0_3.z * y0_3;
      s[9] += x0_0.z * y1_0 + x0_1.z * y1_1 + x0_2.z * y1_2 + x0_3.z * y1_3;
      s[10] += x0_0.z * y2_0 + x0_1.z * y2_1 + x0_2.z * y2_2 + x0_3.z * y2_3;
      s[11] += x0_0.z * y3_0 + x0_1.z * y3_1 + x0_2.z * y3_2 + x0_3.z * y3_3;
      s[12] += x0_0.w * y0_0 + x0_1.w * y0_1 + x0_2.w * y0_2 + x0_3.w * y0_3;
      s[13] += x0_0.w * y1_0 + x0_1.w * y1_1 + x0_2.w * y1_2 + x0_3.w * y1_3;
      s[14] += x0_0.w * y2_0 + x0_1.w * y2_1 + x0_2.w * y2_2 + x0_3.w * y2_3;
      s[15] += x0_0.w * y3_0 + x0_1.w * y3_1 + x0_2.w * y3_2 + x0_3.w * y3_3;
      let a1 = a[a_at + min(a_first + 1u, a_stride - 1u)];
      let x1_0 = first(a1);
      let x1_1 = second(a1);
      let x1_2 = third(a1);
      let x1_3 = fourth(a1);
      s[16] += x1_0.x * y0_0 + x1_1.x * y0_1 + x1_2.x * y0_2 + x1_3.x * y0_3;
      s[17] += x1_0.x * y1_0 + x1_1.x * y1_1 + x1_2.x * y1_2 + x1_3.x * y1_3;
      s[18] += x1_0.x * y2_0 + x1_1.x * y2_1 + x1_2.x * y2_2 + x1_3.x * y2_3;
      s[19] += x1_0.x * y3_0 + x1_1.x * y3_1 + x1_2.x * y3_2 + x1_3.x * y3_3;
      s[20] += x1_0.y * y0_0 + x1_1.y * y0_1 + x1_2.y * y0_2 + x1_3.y * y0_3;
      s[21] += x1_0.y * y1_0 + x1_1.y * y1_1 + x1_2.y * y1_2 + x1_3.y * y1_3;
      s[22] += x1_0.y * y2_0 + x1_1.y * y2_1 + x1_2.y * y2_2 + x1_3.y * y2_3;
      s[23] += x1_0.y * y3_0 + x1_1.y * y3_1 + x1_2.y * y3_2 + x1_3.y * y3_3;
      s[24] += x1_0.z * y0_0 + x1_1.z * y0_1 + x1_2.z * y0_2 + x1_3.z * y0_3;
      s[25] += x1_0.z * y1_0 + x1_1.z * y1_1 + x1_2.z * y1_2 + x1_3.z * y1_3;
      s[26] += x1_0.z * y2_0 + x1_1.z * y2_1 + x1_2.z * y2_2 + x1_3.z * y2_3;
      s[27] += x1_0.z * y3_0 + x1_1.z * y3_1 + x1_2.z * y3_2 + x1_3.z * y3_3;
      s[28] += x1_0.w * y0_0 + x1_1.w * y0_1 + x1_2.w * y0_2 + x1_3.w * y0_3;
      s[29] += x1_0.w * y1_0 + x1_1.w * y1_1 + x1_2.w * y1_2 + x1_3.w * y1_3;
      s[30] += x1_0.w * y2_0 + x1_1.w * y2_1 + x1_2.w * y2_2 + x1_3.w * y2_3;
      s[31] += x1_0.w * y3_0 + x1_1.w * y3_1 + x1_2.w * y3_2 + x1_3.w * y3_3;
      let a2 = a[a_at + min(a_first + 2u, a_stride - 1u)];
      let x2_0 = first(a2);
      let x2_1 = second(a2);
      let x2_2 = third(a2);
      let x2_3 = fourth(a2);
      s[32] += x2_0.x * y0_0 + x2_1.x * y0_1 + x2_2.x * y0_2 + x2_3.x * y0_3;
      s[33] += x2_0.x * y1_0 + x2_1.x * y1_1 + x2_2.x * y1_2 + x2_3.x * y1_3;
      s[34] += x2_0.x * y2_0 + x2_1.x * y2_1 + x2_2.x * y2_2 + x2_3.x * y2_3;
      s[35] += x2_0.x * y3_0 + x2_1.x * y3_1 + x2_2.x * y3_2 + x2_3.x * y3_3;
      s[36] += x2_0.y * y0_0 + x2_1.y * y0_1 + x2_2.y * y0_2 + x2_3.y * y0_3;
      s[37] += x2_0.y * y1_0 + x2_1.y * y1_1 + x2_2.y * y1_2 + x2_3.y * y1_3;
      s[38] += x2_0.y * y2_0 + x2_1.y * y2_1 + x2_2.y * y2_2 + x2_3.y * y2_3;
      s[39] += x2_0.y * y3_0 + x2_1.y * y3_1 + x2_2.y * y3_2 + x2_3.y * y3_3;
      s[40] += x2_0.z * y0_0 + x2_1.z * y0_1 + x2_2.z * y0_2 + x2_3.z * y0_3;
      s[41] += x2_0.z * y1_0 + x2_1.z * y1_1 + x2_2.z * y1_2 + x2_3.z * y1_3;
      s[42] += x2_0.z * y2_0 + x2_1.z * y2_1 + x2_2.z * y2_2 + x2_3.z * y2_3;
      s[43] += x2_0.z * y3_0 + x2_1.z * y3_1 + x2_2.z * y3_2 + x2_3.z * y3_3;
      s[44] += x2_0.w * y0_0 + x2_1.w * y0_1 + x2_2.w * y0_2 + x2_3.w * y0_3;
      s[45] += x2_0.w * y1_0 + x2_1.w * y1_1 + x2_2.w * y1_2 + x2_3.w * y1_3;
      s[46] += x2_0.w * y2_0 + x2_1.w * y2_1 + x2_2.w * y2_2 + x2_3.w * y2_3;
      s[47] += x2_0.w * y3_0 + x2_1.w * y3_1 + x2_2.w * y3_2 + x2_3.w * y3_3;
      let a3 = a[a_at + min(a_first + 3u, a_stride - 1u)];
      let x3_0 = first(a3);
      let x3_1 = second(a3);
      let x3_2 = third(a3);
      let x3_3 = fourth(a3);
      s[48] += x3_0.x * y0_0 + x3_1.x * y0_1 + x3_2.x * y0_2 + x3_3.x * y0_3;
      s[49] += x3_0.x * y1_0 + x3_1.x * y1_1 + x3_2.x * y1_2 + x3_3.x * y1_3;
      s[50] += x3_0.x * y2_0 + x3_1.x * y2_1 + x3_2.x * y2_2 + x3_3.x * y2_3;
      s[51] += x3_0.x * y3_0 + x3_1.x * y3_1 + x3_2.x * y3_2 + x3_3.x * y3_3;
      s[52] += x3_0.y * y0_0 + x3_1.y * y0_1 + x3_2.y * y0_2 + x3_3.y * y0_3;
      s[53] += x3_0.y * y1_0 + x3_1.y * y1_1 + x3_2.y * y1_2 + x3_3.y * y1_3;
      s[54] += x3_0.y * y2_0 + x3_1.y * y2_1 + x3_2.y * y2_2 + x3_3.y * y2_3;
      s[55] += x3_0.y * y3_0 + x3_1.y * y3_1 + x3_2.y * y3_2 + x3_3.y * y3_3;
      s[56] += x3_0.z * y0_0 + x3_1.z * y0_1 + x3_2.z * y0_2 + x3_3.z * y0_3;
      s[57] += x3_0.z * y1_0 + x3_1.z * y1_1 + x3_2.z * y1_2 + x3_3.z * y1_3;
      s[58] += x3_0.z * y2_0 + x3_1.z * y2_1 + x3_2.z * y2_2 + x3_3.z * y2_3;
      s[59] += x3_0.z * y3_0 + x3_1.z * y3_1 + x3_2.z * y3_2 + x3_3.z * y3_3;
      s[60] += x3_0.w * y0_0 + x3_1.w * y0_1 + x3_2.w * y0_2 + x3_3.w * y0_3;
      s[61] += x3_0.w * y1_0 + x3_1.w * y1_1 + x3_2.w * y1_2 + x3_3.w * y1_3;
      s[62] += x3_0.w * y2_0 + x3_1.w * y2_1 + x3_2.w * y2_2 + x3_3.w * y2_3;
      s[63] += x3_0.w * y3_0 + x3_1.w * y3_1 + x3_2.w * y3_2 + x3_3.w * y3_3;
    }
    for (var at = 0u; at < 64u; at++) {
      sums[at] += whole(s[at]);
    }
  }
  for (var line = 0u; line < 16u; line++) {
    for (var vector = 0u; vector < 4u; vector++) {
      store(row + line, column + vector * 4u, sums[line * 4u + vector]);
    }
  }
}
