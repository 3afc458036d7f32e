import { expect, test } from 'vitest'
import { said } from '../../fixtures/command-line.ts'

test.each(['relay', 'node', 'submit', 'quote', 'skills', 'peers', 'ledger', 'doctor'])(
  '`help %s` says what its --help says',
  async (command) => {
    const [asked, told] = [await said('help', command), await said(command, '--help')]
    expect(asked).toEqual(told)
    expect(told).toMatchObject({ status: 0, err: '' })
    expect(told.out).toMatch(new RegExp(`^Usage: swarmharness ${command}`))
  }
)

test('a node runs until it is ended: it takes no --wait', async () => {
  expect(await said('node', '--wait', '3')).toMatchObject({
    status: 2,
    out: '',
    err: expect.stringMatching(/unknown option '--wait'/)
  })
})
