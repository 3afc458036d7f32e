/** The door of our own page: the node alone, without what only programs want (maps, streams, kept jobs). */
export { startSwarm as createSwarm } from './swarm.ts'
