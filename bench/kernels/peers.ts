import type { Array as JaxArray } from '@jax-js/jax'
import type { Tensor2D } from '@tensorflow/tfjs-core'
import type { InferenceSession, Tensor } from 'onnxruntime-web'
import { productModel } from './onnx-model.ts'
import type { Product, Rival } from './rival.ts'

/** Where the page's server hands out onnxruntime-web's own files. */
const ORT_FILES = '/ort/'

/** https://github.com/ekzhang/jax-js: arrays are lazy and owned, so each product is waited for and thrown away. */
export async function jaxOnGpu({ side, a, b }: Product<Float32Array>): Promise<Rival> {
  const { defaultDevice, init, numpy } = await import('@jax-js/jax')
  if (!(await init('webgpu')).includes('webgpu')) {
    throw new Error('jax-js found no WebGPU.')
  }
  defaultDevice('webgpu')
  const upload = (matrix: Float32Array) =>
    numpy.array(matrix as Float32Array<ArrayBuffer>).reshape([side, side])
  const [x, y] = [upload(a), upload(b)]
  await Promise.all([x.ref, y.ref].map((each) => each.blockUntilReady()))
  const product = (): JaxArray => numpy.matmul(x.ref, y.ref)
  return {
    name: 'jax-js',
    async run() {
      const c = product()
      await c.blockUntilReady()
      c.dispose()
    },
    result: async () => (await product().data()) as Float32Array,
    dispose() {
      x.dispose()
      y.dispose()
    }
  }
}

/** Deferred submits would be reported as done: each is sent at once, and the queue waited for. */
export async function tfjsOnGpu({ side, a, b }: Product<Float32Array>): Promise<Rival> {
  const tf = await import('@tensorflow/tfjs-core')
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu')
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', 1)
  await tf.setBackend('webgpu')
  await tf.ready()
  const backend = tf.backend()
  if (!(backend instanceof WebGPUBackend)) {
    throw new Error('tfjs found no WebGPU.')
  }
  const [x, y]: Tensor2D[] = [a, b].map((matrix) => tf.tensor2d(matrix, [side, side]))
  if (x === undefined || y === undefined) {
    throw new Error('tfjs made no tensors.')
  }
  return {
    name: 'tfjs',
    async run() {
      const c = tf.matMul(x, y)
      await backend.device.queue.onSubmittedWorkDone()
      c.dispose()
    },
    async result() {
      const c = tf.matMul(x, y)
      const data = await c.data()
      c.dispose()
      return data as Float32Array
    },
    dispose() {
      x.dispose()
      y.dispose()
    }
  }
}

/** Input and output stay on the GPU. */
export async function ortOnGpu({ side, a, b }: Product<Float32Array>): Promise<Rival> {
  const ort = await import('onnxruntime-web/webgpu')
  ort.env.wasm.wasmPaths = ORT_FILES
  ort.env.wasm.numThreads = 1
  const session = await ort.InferenceSession.create(productModel(side, b), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer'
  })
  const device = (await ort.env.webgpu.device) as GPUDevice
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC
  const buffer = device.createBuffer({ size: a.byteLength, usage })
  device.queue.writeBuffer(buffer, 0, a as Float32Array<ArrayBuffer>)
  const input = ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: [side, side] })
  return {
    name: 'onnxruntime-web',
    async run() {
      const { C } = await session.run({ A: input })
      await device.queue.onSubmittedWorkDone()
      C?.dispose()
    },
    async result() {
      const { C } = await session.run({ A: input })
      return (await C?.getData(true)) as Float32Array
    },
    dispose() {
      buffer.destroy()
      void session.release()
    }
  }
}

/** One thread. */
export async function ortOnCpu({ side, a, b }: Product<Float32Array | Int8Array>): Promise<Rival> {
  const ort = await import('onnxruntime-web/wasm')
  ort.env.wasm.wasmPaths = ORT_FILES
  ort.env.wasm.numThreads = 1
  const session: InferenceSession = await ort.InferenceSession.create(productModel(side, b), {
    executionProviders: ['wasm']
  })
  const dims = [side, side]
  const input: Tensor =
    a instanceof Float32Array ? new ort.Tensor('float32', a, dims) : new ort.Tensor('int8', a, dims)
  const product = async () => {
    const { C } = await session.run({ A: input })
    return C?.data as Float32Array | Int32Array
  }
  return {
    name: 'onnxruntime-web',
    run: async () => void (await product()),
    result: product,
    dispose: () => void session.release()
  }
}

/** Three loops over rows, the way that a JavaScript engine likes best. */
export function plainProduct({ side, a, b }: Product<Float32Array | Int8Array>): Rival {
  const product = () => {
    if (a instanceof Float32Array && b instanceof Float32Array) {
      return multiplyFloats(side, a, b)
    }
    return multiplyBytes(side, a as Int8Array, b as Int8Array) // a product has one kind of matrices
  }
  return { name: 'plain-js', run: () => void product(), result: async () => product(), dispose() {} }
}

function multiplyFloats(side: number, a: Float32Array, b: Float32Array): Float32Array {
  const c = new Float32Array(side * side)
  for (let i = 0; i < side; i++) {
    for (let k = 0; k < side; k++) {
      const factor = a[i * side + k] as number // the loops stay inside
      for (let j = 0; j < side; j++) {
        c[i * side + j] = (c[i * side + j] as number) + factor * (b[k * side + j] as number)
      }
    }
  }
  return c
}

function multiplyBytes(side: number, a: Int8Array, b: Int8Array): Int32Array {
  const c = new Int32Array(side * side)
  for (let i = 0; i < side; i++) {
    for (let k = 0; k < side; k++) {
      const factor = a[i * side + k] as number // the loops stay inside
      for (let j = 0; j < side; j++) {
        c[i * side + j] = (c[i * side + j] as number) + factor * (b[k * side + j] as number)
      }
    }
  }
  return c
}
