import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'

/**
 * Whom a connection counts for: an IPv4 address, or the /64 of an IPv6 address, which one household or lab has.
 *
 * @param trustProxy take the last entry of X-Forwarded-For: the one that our own proxy wrote
 */
export function clientKey(request: Pick<IncomingMessage, 'headers' | 'socket'>, trustProxy: boolean): string {
  const direct = request.socket.remoteAddress ?? 'unknown'
  const header = request.headers['x-forwarded-for']
  const forwarded = (Array.isArray(header) ? header.join(',') : header)?.split(',').at(-1)?.trim()
  return addressKey(trustProxy && forwarded !== undefined && isAddress(forwarded) ? forwarded : direct)
}

/** `10.0.0.1` and `::ffff:10.0.0.1` are one address; `2001:db8:0:1::7` counts as `2001:db8:0:1::/64`. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !isIPv6(address)) {
    return mapped ?? address
  }
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  // A dotted IPv4 tail stands for two groups; it is beyond the /64 in any case.
  const dots = right.some((group) => group.includes('.')) ? 1 : 0
  const zeros = address.includes('::') ? 8 - left.length - right.length - dots : 0
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right]
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${prefix.join(':')}::/64`
}

function isAddress(text: string): boolean {
  return isIPv4(text) || isIPv6(text)
}
