/** Dispatches a second that a worker alone submits and waits for, one after the other. */
export async function gpuLoop(count: number): Promise<number> {
  const worker = new Worker(new URL('./gpu-loop.worker.ts', import.meta.url), { type: 'module' })
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener('message', ({ data }: MessageEvent<number>) => resolve(data))
      worker.addEventListener('error', ({ message }) => reject(new Error(message)))
      worker.postMessage(count)
    })
  } finally {
    worker.terminate()
  }
}
