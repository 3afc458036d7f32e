// Escape times of z → z² + c in fixed point, bit by bit as src/skills/mandelbrot/cpu.ts defines them: limbs of 13
// bits, least first, the last one whole and signed. A column of a square stays below 17 · 2^26 < 2^31, so that it
// needs no carry on the way. One invocation a pixel.

const LIMBS_MAX = 17u;

struct View {
  columns: u32,
  iterations: u32,
  first: u32,
  end: u32,
  limbs: u32,
  x: array<vec4<i32>, 5>,
  y: array<vec4<i32>, 5>,
  step: array<vec4<i32>, 5>,
}

alias Fixed = array<i32, LIMBS_MAX>;

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;

fn square(a: ptr<function, Fixed>, out: ptr<function, Fixed>, limbs: u32) {
  let count = clamp(limbs, 5u, LIMBS_MAX);
  let fraction = count - 1u;
  var carry = 0;
  for (var column = 0u; column < 33u; column++) {
    if (column > 2u * fraction) {
      break;
    }
    var twice = 0;
    let low = select(column - fraction, 0u, column < count);
    let half = min((column + 1u) / 2u, LIMBS_MAX);
    for (var i = low; i < half; i++) {
      twice += (*a)[i] * (*a)[column - i];
    }
    carry += 2 * twice;
    if ((column & 1u) == 0u) {
      carry += (*a)[column / 2u] * (*a)[column / 2u];
    }
    if (column == 2u * fraction) {
      break;
    }
    if (column >= fraction) {
      (*out)[column - fraction] = carry & 8191;
    }
    carry >>= 13u;
  }
  (*out)[fraction] = carry;
}

fn deep(cx: ptr<function, Fixed>, cy: ptr<function, Fixed>, size: u32, most: u32) -> u32 {
  let limbs = clamp(size, 5u, LIMBS_MAX);
  let iterations = clamp(most, 1u, 65535u);
  let last = limbs - 1u;
  var x = *cx;
  var y = *cy;
  var old_x = *cx;
  var old_y = *cy;
  var renewal = 8u;
  var sum: Fixed;
  var xx: Fixed;
  var yy: Fixed;
  var ss: Fixed;
  for (var iteration = 0u; iteration < iterations; iteration++) {
    var carry = 0;
    for (var i = 0u; i < limbs; i++) {
      carry += x[i] + y[i];
      sum[i] = select(carry, carry & 8191, i < last);
      carry >>= 13u;
    }
    square(&x, &xx, limbs);
    square(&y, &yy, limbs);
    square(&sum, &ss, limbs);
    carry = 0;
    var carry_x = 0;
    var carry_y = 0;
    var changed = 0;
    for (var i = 0u; i < limbs; i++) {
      carry = xx[i] + yy[i] + (carry >> 13u);
      carry_x = xx[i] - yy[i] + (*cx)[i] + (carry_x >> 13u);
      carry_y = ss[i] - xx[i] - yy[i] + (*cy)[i] + (carry_y >> 13u);
      x[i] = select(carry_x, carry_x & 8191, i < last);
      y[i] = select(carry_y, carry_y & 8191, i < last);
      changed |= (x[i] ^ old_x[i]) | (y[i] ^ old_y[i]);
    }
    if (carry >= 4) {
      return iteration;
    }
    if (changed == 0) {
      break; // back at an earlier point: this one never leaves
    }
    if (iteration == renewal) {
      renewal *= 2u;
      old_x = x;
      old_y = y;
    }
  }
  return iterations;
}

// The same for five limbs, all of it in registers: what most views need.
struct Five {
  a: i32,
  b: i32,
  c: i32,
  d: i32,
  e: i32,
}

fn carried(v: Five) -> Five {
  let b = v.b + (v.a >> 13u);
  let c = v.c + (b >> 13u);
  let d = v.d + (c >> 13u);
  return Five(v.a & 8191, b & 8191, c & 8191, d & 8191, v.e + (d >> 13u));
}

fn square_five(v: Five) -> Five {
  var t = (v.a * v.a) >> 13u;
  t = (t + 2 * v.a * v.b) >> 13u;
  t = (t + 2 * v.a * v.c + v.b * v.b) >> 13u;
  t = (t + 2 * (v.a * v.d + v.b * v.c)) >> 13u;
  let a = t + 2 * (v.a * v.e + v.b * v.d) + v.c * v.c;
  return carried(Five(a, 2 * (v.b * v.e + v.c * v.d), 2 * v.c * v.e + v.d * v.d, 2 * v.d * v.e, v.e * v.e));
}

fn plus(v: Five, w: Five) -> Five {
  return Five(v.a + w.a, v.b + w.b, v.c + w.c, v.d + w.d, v.e + w.e);
}

fn minus(v: Five, w: Five) -> Five {
  return Five(v.a - w.a, v.b - w.b, v.c - w.c, v.d - w.d, v.e - w.e);
}

fn is_same(v: Five, w: Five) -> bool {
  return ((v.a ^ w.a) | (v.b ^ w.b) | (v.c ^ w.c) | (v.d ^ w.d) | (v.e ^ w.e)) == 0;
}

fn shallow(cx: Five, cy: Five, most: u32) -> u32 {
  let iterations = clamp(most, 1u, 65535u);
  var x = cx;
  var y = cy;
  var old_x = cx;
  var old_y = cy;
  var renewal = 8u;
  for (var iteration = 0u; iteration < iterations; iteration++) {
    let xx = square_five(x);
    let yy = square_five(y);
    let ss = square_five(carried(plus(x, y)));
    let size = plus(xx, yy);
    if (carried(size).e >= 4) {
      return iteration;
    }
    x = carried(plus(minus(xx, yy), cx));
    y = carried(plus(minus(ss, size), cy));
    if (is_same(x, old_x) && is_same(y, old_y)) {
      break;
    }
    if (iteration == renewal) {
      renewal *= 2u;
      old_x = x;
      old_y = y;
    }
  }
  return iterations;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = view.first + id.x;
  if (at >= min(view.end, arrayLength(&counts))) {
    return;
  }
  let columns = clamp(view.columns, 1u, 4096u);
  let limbs = clamp(view.limbs, 5u, LIMBS_MAX);
  let last = limbs - 1u;
  let column = i32(at % columns);
  let row = i32(at / columns);

  var cx: Fixed;
  var cy: Fixed;
  var carry_x = 0;
  var carry_y = 0;
  for (var i = 0u; i < LIMBS_MAX; i++) {
    if (i >= limbs) {
      break;
    }
    carry_x += view.x[i / 4u][i % 4u] + column * view.step[i / 4u][i % 4u];
    carry_y += view.y[i / 4u][i % 4u] - row * view.step[i / 4u][i % 4u];
    cx[i] = select(carry_x, carry_x & 8191, i < last);
    cy[i] = select(carry_y, carry_y & 8191, i < last);
    carry_x >>= 13u;
    carry_y >>= 13u;
  }
  if (limbs == 5u) {
    let c = Five(cx[0], cx[1], cx[2], cx[3], cx[4]);
    counts[at] = shallow(c, Five(cy[0], cy[1], cy[2], cy[3], cy[4]), view.iterations);
  } else {
    counts[at] = deep(&cx, &cy, limbs, view.iterations);
  }
}
