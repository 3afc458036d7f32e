import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { buildPackage, ENTRIES, PACKAGE } from './build.ts'

/**
 * `npm run api`: the reports of what the package exports, in docs/api, one an entry. A change there is a change of what
 * programs build on, and must be seen in the commit.
 */

const ROOT = join(import.meta.dirname, '..', '..')
const REPORTS = join(ROOT, 'docs', 'api')

/**
 * @param mayWrite writes the reports anew; else only compares
 * @returns entries whose report is not what is in docs/api
 */
export function changedReports(mayWrite: boolean): string[] {
  mkdirSync(REPORTS, { recursive: true })
  return Object.entries(ENTRIES).flatMap(([name, path]) => {
    const config = ExtractorConfig.prepare({
      configObjectFullPath: undefined,
      packageJsonFullPath: join(PACKAGE, 'package.json'),
      configObject: {
        projectFolder: PACKAGE,
        mainEntryPointFilePath: join(PACKAGE, 'types', path.replace(/\.ts$/, '.d.ts')),
        compiler: { overrideTsconfig: { compilerOptions: COMPILER, include: ['types'] } },
        apiReport: {
          enabled: true,
          reportFileName: name,
          reportFolder: REPORTS,
          reportTempFolder: join(PACKAGE, '..', 'api-report')
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } }
        }
      }
    })
    const result = Extractor.invoke(config, {
      localBuild: mayWrite,
      messageCallback: (message) => {
        message.handled = true // what changed is for the caller to say
      }
    })
    return result.apiReportChanged ? [name] : []
  })
}

const COMPILER = {
  target: 'es2022',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable', 'esnext.disposable'],
  skipLibCheck: true,
  strict: true,
  types: []
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await buildPackage()
  const changed = changedReports(true)
  console.log(changed.length === 0 ? 'Nothing has changed.' : `docs/api changed: ${changed.join(', ')}`)
}
