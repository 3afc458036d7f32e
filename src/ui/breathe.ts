/** Lets the page draw and hear the hand before the next piece of a long work. */
export function breathe(): Promise<void> {
  const scheduler: { yield?(): Promise<void> } | undefined = Reflect.get(globalThis, 'scheduler')
  return scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve)) // Safari has none
}
