// The best rows of each segment for each query. An invocation has one query and one segment, and all of a
// workgroup the same segment: they read the same rows at the same time. Rows and queries are padded to 16 int8,
// a vector of four words. `dot4` comes from the variant's prelude.

struct Shape {
  rows: u32,
  /** Vectors of a row. */
  depth: u32,
  queries: u32,
  top: u32,
  /** 0: dot product, largest first. 1: squared distance, smallest first. */
  metric: u32,
  first_segment: u32,
}

const SEGMENT = 1024u;
const TOP_MAX = 32u;
const NOBODY = 0xffffffffu;
const LEAST = -2147483647i;

@group(0) @binding(0) var<storage, read> database: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> queries: array<vec4<u32>>;
@group(0) @binding(2) var<uniform> shape: Shape;
@group(0) @binding(3) var<storage, read_write> entries: array<vec2<u32>>;

var<private> ids: array<u32, TOP_MAX>;
var<private> ranks: array<i32, TOP_MAX>;
var<private> worst: i32;

fn dot16(x: vec4<u32>, y: vec4<u32>) -> i32 {
  return dot4(x.x, y.x) + dot4(x.y, y.y) + dot4(x.z, y.z) + dot4(x.w, y.w);
}

// Rows come with growing numbers: of two equal ranks the earlier one stays before the later one.
fn offer(id: u32, rank: i32, top: u32) {
  if (rank <= worst) {
    return;
  }
  var new_id = id;
  var new_rank = rank;
  for (var place = 0u; place < min(top, TOP_MAX); place++) {
    if (new_rank > ranks[place]) {
      let old_id = ids[place];
      let old_rank = ranks[place];
      ids[place] = new_id;
      ranks[place] = new_rank;
      new_id = old_id;
      new_rank = old_rank;
    }
  }
  worst = ranks[top - 1u];
}

@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>
) {
  let rows = clamp(shape.rows, 1u, 65536u);
  let depth = clamp(shape.depth, 1u, 128u);
  let top = clamp(shape.top, 1u, TOP_MAX);
  let count = clamp(shape.queries, 1u, 4096u);
  let is_distance = shape.metric == 1u;
  let segments = (rows + SEGMENT - 1u) / SEGMENT;
  let query = id.x;
  let segment = min(shape.first_segment, 64u) + group.y;
  if (query >= count || segment >= segments) {
    return;
  }
  for (var place = 0u; place < TOP_MAX; place++) {
    ids[place] = NOBODY;
    ranks[place] = LEAST;
  }
  worst = LEAST;
  let query_at = query * depth;
  let first = segment * SEGMENT;
  for (var step = 0u; step < SEGMENT; step += 4u) {
    let row = first + step;
    if (row >= rows) {
      break;
    }
    // beyond the last row the last one again, and not offered
    let at0 = row * depth;
    let at1 = min(row + 1u, rows - 1u) * depth;
    let at2 = min(row + 2u, rows - 1u) * depth;
    let at3 = min(row + 3u, rows - 1u) * depth;
    var rank = vec4<i32>();
    var norm = vec4<i32>();
    for (var i = 0u; i < depth; i++) {
      let y = queries[query_at + i];
      let x0 = database[at0 + i];
      let x1 = database[at1 + i];
      let x2 = database[at2 + i];
      let x3 = database[at3 + i];
      rank += vec4<i32>(dot16(x0, y), dot16(x1, y), dot16(x2, y), dot16(x3, y));
      if (is_distance) {
        norm += vec4<i32>(dot16(x0, x0), dot16(x1, x1), dot16(x2, x2), dot16(x3, x3));
      }
    }
    if (is_distance) {
      rank = 2 * rank - norm;
    }
    for (var lane = 0u; lane < 4u; lane++) {
      if (row + lane < rows) {
        offer(row + lane, rank[lane], top);
      }
    }
  }
  var base = 0;
  if (is_distance) {
    for (var i = 0u; i < depth; i++) {
      let y = queries[query_at + i];
      base += dot16(y, y);
    }
  }
  let to = (query * segments + segment) * top;
  for (var place = 0u; place < top; place++) {
    let score = select(ranks[place], base - ranks[place], is_distance);
    entries[to + place] = vec2<u32>(ids[place], bitcast<u32>(select(score, 0, ids[place] == NOBODY)));
  }
}
