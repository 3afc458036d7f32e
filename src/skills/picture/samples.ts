/** Pixels of a unit of which a check computes less than a tenth anew. */
const PIXELS_MIN = 1024

/** True if a check of so many pixels costs more than a tenth of computing them. */
export const isSmall = (pixels: number): boolean => pixels < PIXELS_MIN

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
