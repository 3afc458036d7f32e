import { afterEach, describe, expect, it } from 'vitest'
import { userEvent } from 'vitest/browser'
import { click, find, mount, running, shown, unmountAll } from './mount.ts'

afterEach(unmountAll)

/** The element with the focus, through shadow roots. */
function focused(): Element | null {
  let element = document.activeElement
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
  return element
}

async function tabTo(selector: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    if (focused()?.matches(selector)) return
    await userEvent.keyboard('{Tab}')
  }
  throw new Error(`the Tab key does not reach "${selector}"`)
}

describe('by keyboard alone', () => {
  it('one consents, sets the power, runs a job and withdraws', async () => {
    const { app, swarm } = mount()
    await shown(app, '#consent-start')
    await tabTo('#power')
    await userEvent.keyboard('{ArrowRight}')
    await tabTo('#consent-start')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#contributing[data-contributing="true"]')
    expect(swarm.calls).toEqual(['contribute 0.65'])

    await tabTo('#run-sample')
    await userEvent.keyboard(' ')
    await shown(app, '#job')
    expect(swarm.submitted).toHaveLength(1)
    await tabTo('#job-cancel')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#job[data-state="cancelled"]')

    await tabTo('#withdraw')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#consent-hire')
    expect(swarm.calls).toContain('stop')
  })

  it('nothing loses the focus by being pressed: a button that switches itself off keeps it', async () => {
    const { app, swarm } = await running()
    await shown(app, '#pause[aria-disabled="false"]')
    await tabTo('#pause')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#pause[aria-disabled="true"]')
    expect(focused()).toBe(find(app, '#pause'))
    await userEvent.keyboard('{Enter}') // it is off
    expect(swarm.calls).toEqual(['contribute 0.6', 'pause'])

    await tabTo('#run-sample')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#run-sample[aria-disabled="true"]')
    await userEvent.keyboard('{Enter}')
    expect(focused()).toBe(find(app, '#run-sample'))
    expect(swarm.submitted).toHaveLength(1)
    swarm.submitted[0]?.succeed({ c: new Int32Array(1), m: 1, n: 1 })
    await shown(app, '#run-sample[aria-disabled="false"]')
    await userEvent.keyboard('{Enter}')
    await expect.poll(() => swarm.submitted.length).toBe(2)

    // nor does Enter in a field press the button of its form while that is off
    await tabTo('#m')
    await userEvent.keyboard('{Enter}')
    expect(swarm.submitted).toHaveLength(2)
  })

  it('where what had the focus is gone, the nearest place has it', async () => {
    const { app, swarm, tell } = mount()
    await shown(app, '#consent-start')
    await tabTo('#consent-start')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#contributing[data-contributing="true"]')
    expect(focused()).toBe(find(app, 'main'))

    tell({ battery: true })
    await shown(app, '#run-anyway')
    await tabTo('#run-anyway')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#contributing[data-contributing="true"]')
    expect(focused()).toBe(find(app, '#pause'))

    await tabTo('#skill-matmul-i8')
    await userEvent.keyboard(
      '{ArrowDown}'.repeat(swarm.skills.findIndex(({ name }) => name === 'mandelbrot'))
    )
    await tabTo('#run-sample')
    await userEvent.keyboard('{Enter}')
    await tabTo('#job-cancel')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#job[data-state="cancelled"]')
    await expect.poll(() => focused() === find(app, '#job #title')).toBe(true)

    await click(app, '#run-sample')
    swarm.submitted[1]?.succeed({ counts: new Uint32Array(12).fill(4), width: 4, height: 3 })
    await shown(app, '#zoom-in')
    find(app, 'job-view')?.focus()
    await tabTo('#zoom-in')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#job-cancel')
    expect(focused()).toBe(find(app, '#job #title'))

    swarm.submitted[2]?.succeed({ counts: new Uint32Array(12).fill(4), width: 4, height: 3 })
    await shown(app, '#run-sample[aria-disabled="false"]')
    await tabTo('#earlier-jobs button')
    await userEvent.keyboard('{Enter}')
    await expect.poll(() => focused() === find(app, '#job #title')).toBe(true)

    await tabTo('#withdraw')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#consent-start')
    expect(focused()).toBe(find(app, 'main'))
  })

  it('the form submits with Enter from a field', async () => {
    const { app, swarm } = await running()
    await shown(app, '#job-form')
    await tabTo('#m')
    await userEvent.keyboard('{Enter}')
    await shown(app, '#job')
    expect(swarm.submitted).toHaveLength(1)
  })

  it('shows where the focus is', async () => {
    const { app } = mount()
    await shown(app, '#consent-start')
    await tabTo('#consent-start')
    const button = find(app, '#consent-start')
    expect(button && getComputedStyle(button).outlineStyle).toBe('solid')
  })
})
