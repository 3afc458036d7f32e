import { afterEach, describe, expect, it, vi } from 'vitest'
import { ARRAY_FILE_MAX } from '../../../src/ui/input-file.ts'
import { click, find, type Mounted, running, shown, textOf, unmountAll } from './mount.ts'

/** What is dropped on the form of a job. A huge file and a folder by Chromium's own hand: `e2e/page.test.ts`. */

afterEach(unmountAll)

/** As a hand that lets go above an element. @returns whether the page has taken it */
function drop(target: HTMLElement, dropped: DataTransfer): boolean {
  const init = { dataTransfer: dropped, bubbles: true, composed: true, cancelable: true }
  const isTaken = !target.dispatchEvent(new DragEvent('dragover', init))
  expect(!target.dispatchEvent(new DragEvent('drop', init))).toBe(isTaken)
  return isTaken
}

function files(...given: readonly File[]): DataTransfer {
  const dropped = new DataTransfer()
  for (const file of given) dropped.items.add(file)
  return dropped
}

const submitted = async ({ app, swarm }: Mounted) => {
  await click(app, '#submit-job')
  await shown(app, '#job')
  return swarm.submitted[0]?.input
}

async function opened(skill: string, field: string): Promise<Mounted & { field: HTMLElement }> {
  const page = await running()
  await click(page.app, `#skill-${skill}`)
  return { ...page, field: await shown(page.app, field) }
}

describe('what is dropped on the form', () => {
  it('is a matrix on its field, and the job is of its numbers', async () => {
    const page = await opened('matmul-i8', '#a-source')
    for (const [side, value] of Object.entries({ m: '2', k: '3', n: '4' })) {
      const input = await shown(page.app, `#${side}`)
      if (input instanceof HTMLInputElement) input.value = value
      input.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }))
    }
    expect(drop(page.field, files(new File([Int8Array.of(1, -2, 3, 4, 5, 6)], 'a.bin')))).toBe(true)
    await shown(page.app, '#a-source', (select) => textOf(select).includes('a.bin'))
    expect(await submitted(page)).toMatchObject({ m: 2, a: Int8Array.of(1, -2, 3, 4, 5, 6) })
  })

  it('is a whole input anywhere, beside its fields too', async () => {
    const page = await opened('mandelbrot', '#job-form')
    const input = { x: '-1', y: '0.25', span: '1e-3', width: 32, height: 24, iterations: 99 }
    expect(drop(page.field, files(new File([JSON.stringify(input)], 'view.json')))).toBe(true)
    await shown(page.app, '#span', (field) => field instanceof HTMLInputElement && field.value === '1e-3')
    expect(await submitted(page)).toEqual(input)
  })

  it('is shown where it would go while it is dragged, and only there', async () => {
    const { app, field } = await opened('matmul-i8', '#a-source')
    const init = { dataTransfer: files(new File(['1'], 'a.bin')), bubbles: true, composed: true }
    field.dispatchEvent(new DragEvent('dragover', init))
    await shown(app, '.over #a-source')
    expect(find(app, '.over #b-source')).toBeUndefined()
    field.dispatchEvent(new DragEvent('dragleave', init))
    await shown(app, '.source:not(.over) #a-source')
  })

  it('is text, which the field below it takes by itself', async () => {
    const { app, field } = await opened('matmul-i8', '#m')
    const text = new DataTransfer()
    text.setData('text/plain', '{"m": 1}')
    for (const target of [field, await shown(app, '#job-form'), await shown(app, '#a-source')]) {
      expect(drop(target, text)).toBe(false)
    }
    expect(find(app, '.over')).toBeUndefined()
    expect(textOf(await shown(app, '#form-error'))).toBe('')
  })

  it.each([
    ['a list that is none', 'scene.txt', '#form-error', 'Only a JSON file'],
    ['a scene with a slip', 'scene.json', '#form-error', 'no JSON']
  ])('is %s, which is refused in words', async (_, name, place, words) => {
    const { app, field, swarm } = await opened('render-tile', '#job-form')
    drop(field, files(new File(['{"camera"'], name)))
    expect(textOf(await shown(app, place, (note) => textOf(note) !== ''))).toContain(words)
    expect(swarm.submitted).toEqual([])
  })

  it('is too much, and not a byte of it is read', async () => {
    const { app, field } = await opened('matmul-i8', '#b-source')
    const read = vi.spyOn(Blob.prototype, 'arrayBuffer')
    const huge = vi.spyOn(File.prototype, 'size', 'get').mockReturnValue(ARRAY_FILE_MAX + 1)
    drop(field, files(new File(['1'], 'b.bin')))
    expect(textOf(await shown(app, '#b-error', (note) => textOf(note) !== ''))).toContain('Split the job')
    expect(read).not.toHaveBeenCalled()
    huge.mockRestore()
    read.mockRestore()
  })

  it('for another skill than the one that is chosen meanwhile changes nothing', async () => {
    const { app, field } = await opened('mandelbrot', '#job-form')
    const reading = Promise.withResolvers<string>()
    const text = vi.spyOn(Blob.prototype, 'text').mockReturnValue(reading.promise)
    drop(field, files(new File(['{}'], 'view.json')))
    await click(app, '#skill-render-tile')
    const width = await shown(app, '#samples')
    reading.resolve('{"samples": 7, "width": 7}')
    await reading.promise
    await new Promise((resolve) => requestAnimationFrame(resolve))
    expect(width instanceof HTMLInputElement ? width.value : '').toBe('16')
    text.mockRestore()
  })
})
