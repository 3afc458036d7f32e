/** A provider in Node: `npm start` forks it as a helper. Says `{ ready: true, peer }` to its parent. */
import { parseArgs } from 'node:util'
import { createSwarm, SwarmError } from '../index.ts'

const { values } = parseArgs({
  options: {
    relay: { type: 'string', multiple: true, default: [] },
    network: { type: 'string', default: 'local' },
    data: { type: 'string' },
    port: { type: 'string', default: '0' },
    power: { type: 'string', default: '1' }
  }
})

const over = Promise.withResolvers<void>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, over.resolve)
}
process.once('disconnect', over.resolve) // the parent is gone, however it went

try {
  const swarm = await createSwarm({
    relays: values.relay,
    network: values.network === 'main' ? 'main' : 'local',
    backend: 'cpu',
    dataFolder: values.data,
    listen: [`/ip4/127.0.0.1/tcp/${values.port}/ws`]
  })
  await swarm.contribute({ power: Number(values.power) })
  process.send?.({ ready: true, peer: swarm.peer })
  await over.promise
  await swarm.stop()
  process.exit(0)
} catch (error) {
  const message = error instanceof SwarmError ? `${error.message} (${error.code})` : String(error)
  console.error(`The helper could not start: ${message}`)
  process.exit(1)
}
