/** What runs in the pages of the bench `page`. Each function is sent as text, so it uses nothing from outside. */

declare global {
  interface Window {
    /** Long tasks of the main thread since the page was opened. */
    longTasks?: Array<{ readonly start: number; readonly ms: number }>
  }
}

/** Runs before the page's own code. */
export function watchLongTasks(): void {
  const tasks: Array<{ start: number; ms: number }> = []
  window.longTasks = tasks
  new PerformanceObserver((list) => {
    tasks.push(...list.getEntries().map(({ startTime, duration }) => ({ start: startTime, ms: duration })))
  }).observe({ type: 'longtask', buffered: true })
}

/** When something of the page was first painted; ms since it was asked for. */
export function firstPaint(): number | undefined {
  return performance.getEntriesByName('first-contentful-paint')[0]?.startTime
}

/** Frames a second of an animation that the page's main thread draws. */
export async function frameRate(ms: number): Promise<number> {
  const box = document.createElement('div')
  box.style.cssText = 'position:fixed;inset:0 auto auto 0;width:40px;height:40px;background:currentColor'
  document.body.append(box)
  const started = performance.now()
  let frames = 0
  while (performance.now() - started < ms) {
    const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve))
    box.style.transform = `translateX(${(now / 5) % 300}px)`
    frames++
  }
  box.remove()
  return (frames * 1_000) / (performance.now() - started)
}
