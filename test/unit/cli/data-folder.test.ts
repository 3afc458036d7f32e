import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { dataFolder } from '../../../src/cli/commands/doctor.ts'
import { at, said, useFolder } from '../../fixtures/command-line.ts'

useFolder()

describe('doctor', () => {
  test('looks at a data folder that is not there yet, and makes none', async () => {
    expect(await dataFolder(at('not/yet'))).toMatchObject({ verdict: 'good' })
    expect(existsSync(at('not'))).toBe(false)
  })

  test.runIf(process.platform === 'linux')('says where none can be', async () => {
    expect(await dataFolder('/proc/none/data')).toMatchObject({
      verdict: 'bad',
      text: expect.stringMatching(
        /^\/proc\/none\/data cannot be written \(no such file or folder\): choose another/
      )
    })
  })
})

test.runIf(process.platform === 'linux').each(['node', 'relay'])(
  '%s says at once where no data folder can be',
  async (command) => {
    expect(await said(command, '--port', '0', '--data', '/proc/none', '--json')).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringMatching(
        /"code":"DENIED","message":"The data folder \/proc\/none\/local cannot be used \(ENOENT\)/
      )
    })
  }
)
