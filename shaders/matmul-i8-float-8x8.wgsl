// Eight by eight outputs, multiplied as floats: int8 products and up to 1,024 of their sums are at most 2^24, where
// float32 holds every integer, so that any order of adding is exact. Each byte is moved to the top of its word and
// stands for itself times 2^24; it is moved by a product, since software adapters shift one lane at a time. For
// devices without a packed dot product.
fn first(words: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(words) * 16777216);
}

fn second(words: vec4<u32>) -> vec4<f32> {
  return vec4<f32>((bitcast<vec4<i32>>(words) * 65536) & vec4<i32>(-16777216));
}

fn third(words: vec4<u32>) -> vec4<f32> {
  return vec4<f32>((bitcast<vec4<i32>>(words) * 256) & vec4<i32>(-16777216));
}

fn fourth(words: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(words) & vec4<i32>(-16777216));
}

fn whole(sums: vec4<f32>) -> vec4<i32> {
  return vec4<i32>(sums * 0x1p-48f);
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
  var l0 = vec4<i32>();
  var r0 = vec4<i32>();
  var l1 = vec4<i32>();
  var r1 = vec4<i32>();
  var l2 = vec4<i32>();
  var r2 = vec4<i32>();
  var l3 = vec4<i32>();
  var r3 = vec4<i32>();
  var l4 = vec4<i32>();
  var r4 = vec4<i32>();
  var l5 = vec4<i32>();
  var r5 = vec4<i32>();
  var l6 = vec4<i32>();
  var r6 = vec4<i32>();
  var l7 = vec4<i32>();
  var r7 = vec4<i32>();
  for (var start = 0u; start < quads; start += 256u) {
    let end = min(start + 256u, quads);
    var s0 = vec4<f32>();
    var t0 = vec4<f32>();
    var s1 = vec4<f32>();
    var t1 = vec4<f32>();
    var s2 = vec4<f32>();
    var t2 = vec4<f32>();
    var s3 = vec4<f32>();
    var t3 = vec4<f32>();
    var s4 = vec4<f32>();
    var t4 = vec4<f32>();
    var s5 = vec4<f32>();
    var t5 = vec4<f32>();
    var s6 = vec4<f32>();
    var t6 = vec4<f32>();
    var s7 = vec4<f32>();
    var t7 = vec4<f32>();
    for (var quad = start; quad < end; quad++) {
      let a0 = a[a_at];
      let a1 = a[a_at + a_next];
      let b0 = b[b_at];
      let b1 = b[b_at + b_next];
      let y0 = first(b0);
      let z0 = first(b1);
      let x0_0 = first(a0);
      s0 += x0_0.x * y0;
      t0 += x0_0.x * z0;
      s1 += x0_0.y * y0;
      t1 += x0_0.y * z0;
      s2 += x0_0.z * y0;
      t2 += x0_0.z * z0;
      s3 += x0_0.w * y0;
      t3 += x0_0.w * z0;
      let x0_1 = first(a1);
      s4 += x0_1.x * y0;
      t4 += x0_1.x * z0;
      s5 += x0_1.y * y0;
      t5 += x0_1.y * z0;
      s6 += x0_1.z * y0;
      t6 += x0_1.z * z0;
      s7 += x0_1.w * y0;
      t7 += x0_1.w * z0;
      let y1 = second(b0);
      let z1 = second(b1);
      let x1_0 = second(a0);
      s0 += x1_0.x * y1;
      t0 += x1_0.x * z1;
      s1 += x1_0.y * y1;
      t1 += x1_0.y * z1;
      s2 += x1_0.z * y1;
      t2 += x1_0.z * z1;
      s3 += x1_0.w * y1;
      t3 += x1_0.w * z1;
      let x1_1 = second(a1);
      s4 += x1_1.x * y1;
      t4 += x1_1.x * z1;
      s5 += x1_1.y * y1;
      t5 += x1_1.y * z1;
      s6 += x1_1.z * y1;
      t6 += x1_1.z * z1;
      s7 += x1_1.w * y1;
      t7 += x1_1.w * z1;
      let y2 = third(b0);
      let z2 = third(b1);
      let x2_0 = third(a0);
      s0 += x2_0.x * y2;
      t0 += x2_0.x * z2;
      s1 += x2_0.y * y2;
      t1 += x2_0.y * z2;
      s2 += x2_0.z * y2;
      t2 += x2_0.z * z2;
      s3 += x2_0.w * y2;
      t3 += x2_0.w * z2;
      let x2_1 = third(a1);
      s4 += x2_1.x * y2;
      t4 += x2_1.x * z2;
      s5 += x2_1.y * y2;
      t5 += x2_1.y * z2;
      s6 += x2_1.z * y2;
      t6 += x2_1.z * z2;
      s7 += x2_1.w * y2;
      t7 += x2_1.w * z2;
      let y3 = fourth(b0);
      let z3 = fourth(b1);
      let x3_0 = fourth(a0);
      s0 += x3_0.x * y3;
      t0 += x3_0.x * z3;
      s1 += x3_0.y * y3;
      t1 += x3_0.y * z3;
      s2 += x3_0.z * y3;
      t2 += x3_0.z * z3;
      s3 += x3_0.w * y3;
      t3 += x3_0.w * z3;
      let x3_1 = fourth(a1);
      s4 += x3_1.x * y3;
      t4 += x3_1.x * z3;
      s5 += x3_1.y * y3;
      t5 += x3_1.y * z3;
      s6 += x3_1.z * y3;
      t6 += x3_1.z * z3;
      s7 += x3_1.w * y3;
      t7 += x3_1.w * z3;
      a_at += a_stride;
      b_at += b_stride;
    }
    l0 += whole(s0);
    r0 += whole(t0);
    l1 += whole(s1);
    r1 += whole(t1);
    l2 += whole(s2);
    r2 += whole(t2);
    l3 += whole(s3);
    r3 += whole(t3);
    l4 += whole(s4);
    r4 += whole(t4);
    l5 += whole(s5);
    r5 += whole(t5);
    l6 += whole(s6);
    r6 += whole(t6);
    l7 += whole(s7);
    r7 += whole(t7);
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
