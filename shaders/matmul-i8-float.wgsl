// int8 multiplied as floats: products and up to 1,024 of their sums are at most 2^24, where float32 holds every
// integer, so that any order of adding is exact. Each byte is moved to the top of its word and stands for itself times
// 2^24; it is moved by a product, since software adapters shift one lane at a time. For devices without a packed dot
// product.
fn first(word: u32) -> f32 {
  return f32(bitcast<i32>(word) * 16777216);
}

fn second(word: u32) -> f32 {
  return f32((bitcast<i32>(word) * 65536) & -16777216);
}

fn third(word: u32) -> f32 {
  return f32((bitcast<i32>(word) * 256) & -16777216);
}

fn fourth(word: u32) -> f32 {
  return f32(bitcast<i32>(word) & -16777216);
}

fn whole_number(sum: f32) -> i32 {
  return i32(sum * 0x1p-48f);
}

