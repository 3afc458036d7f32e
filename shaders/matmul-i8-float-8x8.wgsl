// Eight by eight outputs, multiplied as floats: int8 products and up to 1,024 of their sums are at most 2^24, where
// float32 holds every integer, so that any order of adding is exact. For devices without a packed dot product.
fn floats(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

fn sums(x: vec4<f32>, y0: vec4<f32>, y1: vec4<f32>, y2: vec4<f32>, y3: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(dot(x, y0), dot(x, y1), dot(x, y2), dot(x, y3));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = clamp(shape.rows, 1u, 4096u);
  let quads = clamp(shape.quads, 1u, 1024u);
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
  var s0_0 = vec4<i32>();
  var s0_1 = vec4<i32>();
  var s1_0 = vec4<i32>();
  var s1_1 = vec4<i32>();
  var s2_0 = vec4<i32>();
  var s2_1 = vec4<i32>();
  var s3_0 = vec4<i32>();
  var s3_1 = vec4<i32>();
  var s4_0 = vec4<i32>();
  var s4_1 = vec4<i32>();
  var s5_0 = vec4<i32>();
  var s5_1 = vec4<i32>();
  var s6_0 = vec4<i32>();
  var s6_1 = vec4<i32>();
  var s7_0 = vec4<i32>();
  var s7_1 = vec4<i32>();
  for (var first = 0u; first < quads; first += 256u) {
    let end = min(first + 256u, quads);
    var f0_0 = vec4<f32>();
    var f0_1 = vec4<f32>();
    var f1_0 = vec4<f32>();
    var f1_1 = vec4<f32>();
    var f2_0 = vec4<f32>();
    var f2_1 = vec4<f32>();
    var f3_0 = vec4<f32>();
    var f3_1 = vec4<f32>();
    var f4_0 = vec4<f32>();
    var f4_1 = vec4<f32>();
    var f5_0 = vec4<f32>();
    var f5_1 = vec4<f32>();
    var f6_0 = vec4<f32>();
    var f6_1 = vec4<f32>();
    var f7_0 = vec4<f32>();
    var f7_1 = vec4<f32>();
    for (var quad = first; quad < end; quad++) {
      let a0 = a[a_at];
      let a1 = a[a_at + a_next];
      let b0 = b[b_at];
      let b1 = b[b_at + b_next];
      let y0 = floats(b0.x);
      let y1 = floats(b0.y);
      let y2 = floats(b0.z);
      let y3 = floats(b0.w);
      let y4 = floats(b1.x);
      let y5 = floats(b1.y);
      let y6 = floats(b1.z);
      let y7 = floats(b1.w);
      let x0 = floats(a0.x);
      f0_0 += sums(x0, y0, y1, y2, y3);
      f0_1 += sums(x0, y4, y5, y6, y7);
      let x1 = floats(a0.y);
      f1_0 += sums(x1, y0, y1, y2, y3);
      f1_1 += sums(x1, y4, y5, y6, y7);
      let x2 = floats(a0.z);
      f2_0 += sums(x2, y0, y1, y2, y3);
      f2_1 += sums(x2, y4, y5, y6, y7);
      let x3 = floats(a0.w);
      f3_0 += sums(x3, y0, y1, y2, y3);
      f3_1 += sums(x3, y4, y5, y6, y7);
      let x4 = floats(a1.x);
      f4_0 += sums(x4, y0, y1, y2, y3);
      f4_1 += sums(x4, y4, y5, y6, y7);
      let x5 = floats(a1.y);
      f5_0 += sums(x5, y0, y1, y2, y3);
      f5_1 += sums(x5, y4, y5, y6, y7);
      let x6 = floats(a1.z);
      f6_0 += sums(x6, y0, y1, y2, y3);
      f6_1 += sums(x6, y4, y5, y6, y7);
      let x7 = floats(a1.w);
      f7_0 += sums(x7, y0, y1, y2, y3);
      f7_1 += sums(x7, y4, y5, y6, y7);
      a_at += a_stride;
      b_at += b_stride;
    }
    s0_0 += vec4<i32>(f0_0);
    s0_1 += vec4<i32>(f0_1);
    s1_0 += vec4<i32>(f1_0);
    s1_1 += vec4<i32>(f1_1);
    s2_0 += vec4<i32>(f2_0);
    s2_1 += vec4<i32>(f2_1);
    s3_0 += vec4<i32>(f3_0);
    s3_1 += vec4<i32>(f3_1);
    s4_0 += vec4<i32>(f4_0);
    s4_1 += vec4<i32>(f4_1);
    s5_0 += vec4<i32>(f5_0);
    s5_1 += vec4<i32>(f5_1);
    s6_0 += vec4<i32>(f6_0);
    s6_1 += vec4<i32>(f6_1);
    s7_0 += vec4<i32>(f7_0);
    s7_1 += vec4<i32>(f7_1);
  }
  store(row, column, s0_0);
  store(row, column + 4u, s0_1);
  store(row + 1u, column, s1_0);
  store(row + 1u, column + 4u, s1_1);
  store(row + 2u, column, s2_0);
  store(row + 2u, column + 4u, s2_1);
  store(row + 3u, column, s3_0);
  store(row + 3u, column + 4u, s3_1);
  store(row + 4u, column, s4_0);
  store(row + 4u, column + 4u, s4_1);
  store(row + 5u, column, s5_0);
  store(row + 5u, column + 4u, s5_1);
  store(row + 6u, column, s6_0);
  store(row + 6u, column + 4u, s6_1);
  store(row + 7u, column, s7_0);
  store(row + 7u, column + 4u, s7_1);
}
