// Eight by eight outputs in registers, 64 by 64 a workgroup, eight steps of K at a time in shared memory: each
// value leaves global memory once a workgroup.
const STEPS = 8u;
/** Vectors of one step: 64 lines. */
const LINES = 16u;

var<workgroup> a_tile: array<vec4<f32>, STEPS * LINES>;
var<workgroup> b_tile: array<vec4<f32>, STEPS * LINES>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) group: vec3<u32>
) {
  let rows = clamp(shape.rows, 1u, 4096u);
  let steps = clamp(shape.steps, 1u, 4096u);
  let columns = clamp(shape.columns, 1u, 4096u);
  let top = min(shape.first_row, 4096u) + group.y * 64u;
  let left = min(shape.first_column, 4096u) + group.x * 64u;
  let a_stride = (rows + 3u) / 4u;
  let b_stride = (columns + 3u) / 4u;
  var l: array<vec4<f32>, 8>;
  var r: array<vec4<f32>, 8>;
  for (var first = 0u; first < steps; first += STEPS) {
    for (var turn = 0u; turn < 2u; turn++) {
      let slot = index + turn * 64u;
      let step = first + slot / LINES;
      let a_line = top / 4u + slot % LINES;
      let b_line = left / 4u + slot % LINES;
      let present = step < steps;
      a_tile[slot] = select(vec4<f32>(), a[step * a_stride + a_line], present && a_line < a_stride);
      b_tile[slot] = select(vec4<f32>(), b[step * b_stride + b_line], present && b_line < b_stride);
    }
    workgroupBarrier();
    for (var step = 0u; step < STEPS; step++) {
      let at = step * LINES;
      let x = a_tile[at + local.y * 2u];
      let y = a_tile[at + local.y * 2u + 1u];
      let b_left = b_tile[at + local.x * 2u];
      let b_right = b_tile[at + local.x * 2u + 1u];
      for (var lane = 0u; lane < 4u; lane++) {
        l[lane] += x[lane] * b_left;
        r[lane] += x[lane] * b_right;
        l[lane + 4u] += y[lane] * b_left;
        r[lane + 4u] += y[lane] * b_right;
      }
    }
    workgroupBarrier();
  }
  for (var line = 0u; line < 8u; line++) {
    store(top + local.y * 8u + line, left + local.x * 8u, l[line]);
    store(top + local.y * 8u + line, left + local.x * 8u + 4u, r[line]);
  }
}
