import type { ConnectionGater } from '@libp2p/interface'
import { isPrivate } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { NetError } from './errors.ts'

/** Refuses to dial private addresses and plain `ws`, unless the swarm itself is a private one. */
export function connectionGater(allowPrivate: boolean): ConnectionGater {
  return { denyDialMultiaddr: (address) => !allowPrivate && isPrivateAddress(address) }
}

/** True for an address in a private range, by name local, or not encrypted on its way (plain `ws`). */
export function isPrivateAddress(address: Multiaddr): boolean {
  const names = address.getComponents().map(({ name }) => name)
  const plain = names.includes('ws') && !names.includes('tls')
  return plain || isPrivate(address)
}

/** @throws NetError `BAD_ADDRESS` */
export function parseAddress(text: string): Multiaddr {
  try {
    if (!/[^/]/.test(text)) {
      throw new TypeError('it is empty') // a multiaddr to libp2p, which leads nowhere
    }
    return multiaddr(text)
  } catch (cause) {
    throw new NetError(
      'BAD_ADDRESS',
      `“${text.slice(0, 200)}” is not a multiaddr such as /ip4/127.0.0.1/tcp/8080/ws/p2p/12D3….`,
      { cause }
    )
  }
}
