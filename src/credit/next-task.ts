/** Lets events in before a long work goes on; a browser's timer would be clamped to 4 ms. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close() // or Node would wait for more
      resolve()
    }
    port2.postMessage(undefined)
  })
}
