// A path tracer: one invocation a pixel, the same paths as src/skills/render-tile/cpu.ts, to rounding. The scene is
// packed in rows of four floats as src/skills/render-tile/scene.ts says: a header of 6 rows, 2 a material, 2 a
// sphere, 4 a triangle. No trigonometry of the device: WGSL lets it be off by 2^-11.

struct Tile {
  left: u32,
  top: u32,
  columns: u32,
  first: u32,
  end: u32,
  samples: u32,
  depth: u32,
  seed: u32,
  materials: u32,
  spheres: u32,
  triangles: u32,
}

struct Ray {
  origin: vec3<f32>,
  direction: vec3<f32>,
}

struct Hit {
  t: f32,
  normal: vec3<f32>,
  material: u32,
}

const HEADER = 6u;
const NEAREST = 1e-3;
const FARTHEST = 1e30;
const PI = 3.14159265;

@group(0) @binding(0) var<storage, read> scene: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> tile: Tile;
@group(0) @binding(2) var<storage, read_write> radiance: array<f32>;

// Jarzynski and Olano, Hash Functions for GPU Rendering (JCGT 2020).
fn pcg4d(place: vec4<u32>) -> vec3<f32> {
  var v = place * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4<u32>(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return vec3<f32>(v.xyz >> vec3<u32>(8u)) * (1.0 / 16777216.0);
}

// (cos 2πu, sin 2πu) from the half angle a in [-π/2, π/2), by their series: off by less than 1e-6.
fn circle(u: f32) -> vec2<f32> {
  let a = PI * (u - 0.5);
  let q = a * a;
  let sine = a * (1.0 + q * (-1.0 / 6.0 + q * (1.0 / 120.0 + q * (-1.0 / 5040.0 +
    q * (1.0 / 362880.0 + q * (-1.0 / 39916800.0))))));
  let cosine = 1.0 + q * (-0.5 + q * (1.0 / 24.0 + q * (-1.0 / 720.0 +
    q * (1.0 / 40320.0 + q * (-1.0 / 3628800.0 + q * (1.0 / 479001600.0))))));
  return vec2<f32>(sine * sine - cosine * cosine, -2.0 * sine * cosine);
}

fn unit(v: vec3<f32>) -> vec3<f32> {
  return v * (1.0 / sqrt(dot(v, v)));
}

fn material_at(index: f32) -> u32 {
  let last = f32(clamp(tile.materials, 1u, 64u) - 1u);
  return HEADER + 2u * u32(clamp(index, 0.0, last));
}

// Haines et al., Ray Tracing Gems (2019), chapter 7.
fn meet_sphere(ray: Ray, at: u32, hit: Hit) -> Hit {
  let sphere = scene[at];
  let f = ray.origin - sphere.xyz;
  let b = -dot(f, ray.direction);
  let l = f + b * ray.direction;
  let discriminant = sphere.w * sphere.w - dot(l, l);
  if (discriminant <= 0.0) {
    return hit;
  }
  let root = sqrt(discriminant);
  let q = select(b - root, b + root, b > 0.0);
  let other = (dot(f, f) - sphere.w * sphere.w) / q;
  let near = min(q, other);
  let t = select(max(q, other), near, near > NEAREST);
  if (t <= NEAREST || t >= hit.t) {
    return hit;
  }
  return Hit(t, (f + t * ray.direction) / sphere.w, material_at(scene[at + 1u].x));
}

// Möller and Trumbore (1997).
fn meet_triangle(ray: Ray, at: u32, hit: Hit) -> Hit {
  let a = scene[at];
  let ab = scene[at + 1u].xyz;
  let ac = scene[at + 2u].xyz;
  let p = cross(ray.direction, ac);
  let determinant = dot(ab, p);
  if (abs(determinant) < 1e-12) {
    return hit;
  }
  let f = ray.origin - a.xyz;
  let q = cross(f, ab);
  let u = dot(f, p) / determinant;
  let v = dot(ray.direction, q) / determinant;
  let t = dot(ac, q) / determinant;
  if (u < 0.0 || v < 0.0 || u + v > 1.0 || t <= NEAREST || t >= hit.t) {
    return hit;
  }
  return Hit(t, scene[at + 3u].xyz, material_at(a.w));
}

fn meet(ray: Ray) -> Hit {
  var hit = Hit(FARTHEST, vec3<f32>(), HEADER);
  let spheres = min(tile.spheres, 256u);
  let triangles = min(tile.triangles, 1024u);
  var at = HEADER + 2u * clamp(tile.materials, 1u, 64u);
  for (var i = 0u; i < spheres; i++) {
    hit = meet_sphere(ray, at, hit);
    at += 2u;
  }
  for (var i = 0u; i < triangles; i++) {
    hit = meet_triangle(ray, at, hit);
    at += 4u;
  }
  return hit;
}

// Off a metal or a diffuse surface; zero if the light is lost in it.
fn scatter(direction: vec3<f32>, normal: vec3<f32>, is_metal: bool, fuzz: f32, random: vec3<f32>) -> vec3<f32> {
  let z = 1.0 - 2.0 * random.x;
  let s = vec3<f32>(sqrt(max(0.0, 1.0 - z * z)) * circle(random.y), z);
  let cosine = dot(direction, normal);
  if (is_metal) {
    let next = unit(direction - 2.0 * cosine * normal + fuzz * s);
    return select(vec3<f32>(), next, cosine * dot(next, normal) < 0.0);
  }
  let facing = select(-normal, normal, cosine < 0.0);
  let next = facing + s;
  if (dot(next, next) < 1e-6) {
    return facing;
  }
  return unit(next);
}

// By Schlick's approximation (1994) of Fresnel's equations.
fn through_glass(direction: vec3<f32>, normal: vec3<f32>, index: f32, random: f32) -> vec3<f32> {
  let cosine = dot(direction, normal);
  let is_into = cosine < 0.0;
  let side = select(-1.0, 1.0, is_into);
  let ratio = select(index, 1.0 / index, is_into);
  let c = min(abs(cosine), 1.0);
  let rest = 1.0 - ratio * ratio * (1.0 - c * c);
  let straight = (1.0 - index) / (1.0 + index);
  let base = straight * straight;
  let outer = 1.0 - select(sqrt(max(rest, 0.0)), c, is_into);
  let square = outer * outer;
  let reflected = base + (1.0 - base) * square * square * outer;
  if (rest <= 0.0 || random < reflected) {
    return unit(direction - 2.0 * cosine * normal);
  }
  return unit(ratio * direction + side * (ratio * c - sqrt(rest)) * normal);
}

fn path(column: u32, row: u32, index: u32, seed: u32) -> vec3<f32> {
  let depth = clamp(tile.depth, 1u, 8u);
  let pixel = row * 4096u + column;
  var random = pcg4d(vec4<u32>(pixel, index, 0u, seed));
  let across = f32(column) + random.x;
  let down = f32(row) + random.y;
  let h0 = scene[0];
  let h1 = scene[1];
  let h2 = scene[2];
  let h3 = scene[3];
  let h4 = scene[4];
  let corner = vec3<f32>(h0.w, h1.xy);
  let right = vec3<f32>(h1.zw, h2.x);
  let below = h2.yzw;
  var ray = Ray(h0.xyz, unit(corner + across * right + down * below));
  var light = vec3<f32>(1.0);
  for (var surface = 0u; surface < depth; surface++) {
    let hit = meet(ray);
    if (hit.t >= FARTHEST) {
      let top = vec3<f32>(h3.w, h4.xy);
      let up = 0.5 * (ray.direction.y + 1.0);
      return light * (h3.xyz + (top - h3.xyz) * up);
    }
    let material = scene[hit.material];
    light *= material.yzw;
    if (material.x > 2.5) {
      return light;
    }
    let extra = scene[hit.material + 1u].x;
    let origin = ray.origin + hit.t * ray.direction;
    random = pcg4d(vec4<u32>(pixel, index, surface + 1u, seed));
    if (material.x > 1.5) {
      ray = Ray(origin, through_glass(ray.direction, hit.normal, extra, random.z));
    } else {
      ray = Ray(origin, scatter(ray.direction, hit.normal, material.x > 0.5, extra, random));
      if (dot(ray.direction, ray.direction) < 0.5) {
        break;
      }
    }
  }
  return vec3<f32>();
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = tile.first + id.x;
  if (at >= min(tile.end, arrayLength(&radiance) / 3u)) {
    return;
  }
  let columns = clamp(tile.columns, 1u, 4096u);
  let samples = clamp(tile.samples, 1u, 64u);
  let column = min(tile.left, 4095u) + at % columns;
  let row = min(tile.top, 4095u) + at / columns;
  var sum = vec3<f32>();
  for (var index = 0u; index < samples; index++) {
    sum += min(path(column, row, index, tile.seed), vec3<f32>(16.0));
  }
  sum /= f32(samples);
  radiance[at * 3u] = sum.x;
  radiance[at * 3u + 1u] = sum.y;
  radiance[at * 3u + 2u] = sum.z;
}
