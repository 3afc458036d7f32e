import type { MultiaddrResolver } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { dnsaddrResolver } from 'libp2p'

/**
 * Looks up the `/dnsaddr` addresses of a node's own relays, and what these name. For a stranger's address no DNS server is
 * asked: it leads nowhere.
 */
export function ownNames(own: readonly Multiaddr[]): MultiaddrResolver {
  const known = new Set(own.map((address) => address.toString()))
  return {
    canResolve: (address) => dnsaddrResolver.canResolve(address),
    async resolve(address, options) {
      if (!known.has(address.toString())) {
        return []
      }
      const found = await dnsaddrResolver.resolve(address, options)
      for (const each of found) {
        known.add(each.toString())
      }
      return found
    }
  }
}
