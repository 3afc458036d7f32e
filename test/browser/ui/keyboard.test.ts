import { afterEach, describe, expect, it } from 'vitest'
import { userEvent } from 'vitest/browser'
import { find, mount, running, shown, unmountAll } from './mount.ts'

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
