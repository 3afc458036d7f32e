/** The door of our own page: a node, and its jobs over a reload. */
export { openSwarm as createSwarm } from './swarm/sdk/index.ts'
