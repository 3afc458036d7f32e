import { expect, test } from 'vitest'

test('this Chromium has a WebGPU adapter and device', async () => {
  const adapter = await navigator.gpu.requestAdapter()
  expect(adapter).not.toBeNull()
  const device = await adapter?.requestDevice()
  expect(device?.limits.maxComputeWorkgroupSizeX).toBeGreaterThanOrEqual(64)
  device?.destroy()
})

test('the page is a secure context: WebCrypto and Web Locks are there', () => {
  expect(isSecureContext).toBe(true)
  expect(navigator.locks).toBeDefined()
})
