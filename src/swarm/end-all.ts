/**
 * Does all of these, one after the other, whatever one of them throws: what is open is closed.
 *
 * @throws the first error, once all are done
 */
export async function endAll(steps: ReadonlyArray<() => unknown>): Promise<void> {
  const errors: unknown[] = []
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) {
    throw errors[0]
  }
}
