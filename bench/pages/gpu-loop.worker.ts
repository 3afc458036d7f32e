const WGSL = `
@group(0) @binding(0) var<storage, read> a: array<i32>;
@group(0) @binding(1) var<storage, read_write> c: array<i32>;
@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) { c[id.x] = a[id.x] + 1; }`
const BYTES = 32

self.addEventListener('message', async ({ data: count }: MessageEvent<number>) => {
  const adapter = await navigator.gpu.requestAdapter()
  if (adapter === null) {
    throw new Error('There is no WebGPU adapter.')
  }
  const device = await adapter.requestDevice()
  const make = (usage: number) => device.createBuffer({ size: BYTES, usage })
  const input = make(GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST)
  const output = make(GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC)
  const staging = make(GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST)
  const module = device.createShaderModule({ code: WGSL })
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } })
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }))
  })
  const once = async (value: number) => {
    device.queue.writeBuffer(input, 0, Int32Array.of(value))
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, bindGroup)
    pass.dispatchWorkgroups(1)
    pass.end()
    encoder.copyBufferToBuffer(output, 0, staging, 0, BYTES)
    device.queue.submit([encoder.finish()])
    await staging.mapAsync(GPUMapMode.READ)
    const [result] = new Int32Array(staging.getMappedRange())
    staging.unmap()
    if (result !== value + 1) {
      throw new Error(`The kernel made ${result} of ${value}.`)
    }
  }
  await once(0)
  const begun = performance.now()
  for (let i = 0; i < count; i++) {
    await once(i)
  }
  self.postMessage(count / ((performance.now() - begun) / 1_000))
  device.destroy()
})
