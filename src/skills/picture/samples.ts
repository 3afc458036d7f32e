/** `count` different pixels of `pixels`, in the order drawn, or all where there are no more. */
export function samplePixels(pixels: number, count: number, random: () => number): Iterable<number> {
  if (pixels <= count) {
    return Array(pixels).keys()
  }
  const drawn = new Set<number>()
  while (drawn.size < count) {
    drawn.add(Math.min(pixels - 1, Math.floor(random() * pixels)))
  }
  return drawn
}
