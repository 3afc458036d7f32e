/** Building libp2p is a long work, and starting the node another: a page draws between them. Nothing where nobody draws. */
export async function breathe(): Promise<void> {
  const scheduler: { yield?(): Promise<void> } | undefined = Reflect.get(globalThis, 'scheduler')
  await scheduler?.yield?.()
}
