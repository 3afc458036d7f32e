import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { at, PRODUCT, said, useFolder } from '../../fixtures/command-line.ts'

useFolder()
beforeAll(async () => {
  await writeFile(at('product.json'), PRODUCT)
  await writeFile(at('words.json'), 'words')
  await writeFile(at('wide.json'), PRODUCT.replace('1', '300'))
  await writeFile(at('huge.json'), '')
  await truncate(at('huge.json'), 2 ** 28 + 1)
  await mkdir(at('newer/local'), { recursive: true })
  await writeFile(at('newer/local/store.log'), 'SWH9')
})

const ANNOUNCE = ['relay', '--port', '0', '--announce']

describe('what cannot be is said in a sentence, and nothing is started', () => {
  test.each<[string, number, RegExp, string[]]>([
    ['an unknown command', 2, /unknown command/, ['frobnicate']],
    ['an unknown option', 2, /unknown option/, ['skills', '--loud']],
    ['an unknown skill', 2, /UNKNOWN_SKILL/, ['submit', 'no-such', '--input', 'product.json']],
    ['no input', 2, /--input/, ['submit', 'matmul-i8']],
    ['a missing file', 2, /none\.json cannot be read/, ['submit', 'matmul-i8', '--input', 'none.json']],
    ['a file that is no JSON', 2, /is no JSON/, ['submit', 'matmul-i8', '--input', 'words.json']],
    ['a number that does not fit', 2, /a\[0\] is 300/, ['submit', 'matmul-i8', '--input', 'wide.json']],
    [
      'a file that is too large',
      2,
      /more than 67108864 bytes: put/,
      ['submit', 'matmul-i8', '--input', 'huge.json']
    ],
    [
      'an output in no folder',
      2,
      /cannot be written/,
      ['submit', 'matmul-i8', '--input', 'product.json', '--out', 'no/c.json']
    ],
    [
      'a folder as output',
      2,
      /is a folder/,
      ['submit', 'matmul-i8', '--input', 'product.json', '--out', '.']
    ],
    [
      'a bare array of what is more than one',
      2,
      /write it as \.json/,
      ['submit', 'knn-i8', '--input', 'product.json', '--out', 'ids.bin']
    ],
    ['a budget of 0', 2, /above 0/, ['submit', 'matmul-i8', '--input', 'product.json', '--budget', '0']],
    [
      'a key without a folder',
      2,
      /--key needs --data/,
      ['submit', 'matmul-i8', '--input', 'product.json', '--key', 'k']
    ],
    ['an empty address', 2, /BAD_ADDRESS/, ['peers', '--relay', '']],
    ['a folder without a name', 2, /--data names a folder/, ['relay', '--port', '0', '--data', '']],
    ['an address that is none', 2, /multiaddr/, ['peers', '--relay', 'somewhere']],
    ['no relay there', 1, /does not answer/, ['peers', '--relay', 'http://127.0.0.1:9']],
    ['no network', 1, /No relay answered/, ['peers', '--wait', '1', '--relay', '/ip4/127.0.0.1/tcp/9/ws']],
    ['a folder of a newer version', 1, /newer version/, ['node', '--port', '0', '--data', 'newer']],
    ['a folder that is a file', 1, /cannot be used/, ['node', '--port', '0', '--data', 'words.json']],
    [
      'a relay for a page that is not there',
      2,
      /no page in .*BAD_OPTION/,
      ['relay', '--port', '0', '--static', 'no/page']
    ],
    [
      'an announced address that no tab dials',
      2,
      /ends in \/ws/,
      [...ANNOUNCE, '/dns4/relay.example/tcp/443']
    ],
    [
      'an announced address with a peer id',
      2,
      /without \/p2p\//,
      [
        ...ANNOUNCE,
        '/dns4/relay.example/tcp/443/tls/ws/p2p/12D3KooWGC6TvWhfagifX6kzyKbJLpLGzLgmgaRRyFEgJHSwq3Qh'
      ]
    ],
    ['an ICE server that is none', 2, /--ice is stun:/, ['relay', '--port', '0', '--ice', 'nonsense']],
    ['an address to listen at that is none', 2, /BAD_ADDRESS/, ['node', '--listen', 'nonsense']],
    [
      'an address of no machine',
      2,
      /Cannot listen on .*: choose another/,
      ['node', '--listen', '/ip4/127.0.0.1/tcp/1']
    ],
    ['no time to look', 2, /--wait is a whole number from 1 to 3600/, ['peers', '--wait', '0']],
    ['power 2', 2, /\.05 to 1/, ['node', '--power', '2']],
    ['strangers 10', 2, /0 to 1; it is 10/, ['node', '--strangers', '10']],
    [
      'a ledger of no folder',
      2,
      /no ledger of the network local/,
      ['ledger', 'export', 'none.json', '--out', 'x']
    ]
  ])('%s', async (_, status, message, args) => {
    const ending = await said(
      ...args.map((arg) => (/[.]json$|^newer$|^no\/|^[.]$/.test(arg) ? at(arg) : arg))
    )
    expect(ending.err).toMatch(message)
    expect(ending.err).not.toMatch(/^ +at /m)
    expect(ending).toMatchObject({ status, out: '' })
  })

  test.each<[string, RegExp, string[]]>([
    ['an unknown command', /^unknown command 'frobnicate'/, ['frobnicate']],
    ['an unknown option', /^unknown option '--loud'/, ['skills', '--loud']],
    ['an option without its value', /^option '--wait <seconds>' argument missing/, ['peers', '--wait']],
    ['a value that does not fit', /^--wait is a whole number .* it is soon/, ['peers', '--wait', 'soon']],
    ['no skill', /^missing required argument 'skill'/, ['quote', '--input', 'product.json']],
    ['no input', /^required option '--input <file>' not specified/, ['submit', 'matmul-i8']],
    ['too many words', /^too many arguments/, ['peers', 'all']],
    ['an unknown option of the ledger', /^Unknown option '--loud'/, ['ledger', '--loud']]
  ])('for programs in JSON: %s', async (_, message, args) => {
    const { status, out, err } = await said(...args.slice(0, 1), '--json', ...args.slice(1))
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(JSON.parse(err)).toEqual({ error: { code: 'USAGE', message: expect.stringMatching(message) } })
  })
})
