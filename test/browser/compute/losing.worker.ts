import { serveCompute } from '../../../src/compute/worker/index.ts'
import { kernelHash, SKILLS } from '../../../src/skills/index.ts'
import { faultySkills } from '../../unit/compute/faulty.skills.ts'

/** A worker whose devices a test can take away, and whose adapters it can hide. */
const devices: GPUDevice[] = []
let hidden = 0

const requestAdapter = navigator.gpu.requestAdapter.bind(navigator.gpu)
navigator.gpu.requestAdapter = async (options) => {
  if (hidden > 0) {
    hidden--
    return null
  }
  const adapter = await requestAdapter(options)
  const requestDevice = adapter?.requestDevice.bind(adapter)
  if (adapter !== null && requestDevice !== undefined) {
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(descriptor)
      devices.push(device)
      return device
    }
  }
  return adapter
}

new BroadcastChannel('losing-worker').onmessage = ({ data }: MessageEvent<{ hide: number }>) => {
  hidden = data.hide
  for (const device of devices.splice(0)) {
    device.destroy()
  }
}

const crash = () => {
  setTimeout(() => {
    throw new Error('crashed on purpose')
  })
}
serveCompute({ skills: new Map([...SKILLS, ...faultySkills(crash)]), kernelHash })
