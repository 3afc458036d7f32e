fn bytes(word: u32) -> vec4<i32> {
  return (vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}

fn dot4(x: u32, y: u32) -> i32 {
  return dot(bytes(x), bytes(y));
}
