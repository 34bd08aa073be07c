/**
 * Chromium for tests: Debian's, with an empty profile that is gone afterwards, and pages that report what went wrong in
 * them. A missing Chromium is installed (`programs.ts`), never skipped.
 */
import { type Browser, chromium, type Page } from 'playwright-core'
import { findProgram } from './programs.js'

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts Chromium; `close()` it after the test. */
export async function launchBrowser(): Promise<Browser> {
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  return chromium.launch({ executablePath: await findProgram({ names, packageName: 'chromium' }), args })
}

/** Collects everything that the page complains of from now on: console errors and warnings, and uncaught exceptions. */
export function collectComplaints(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
}
