// int8 multiplied as floats: products and up to 1,024 of their sums are at most 2^24, where float32 holds every
// integer, so that any order of adding is exact. Each byte is moved to the top of its word and stands for itself times
// 2^24; it is moved by a product, since software adapters shift one lane at a time. For devices without a packed dot
// product.
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

