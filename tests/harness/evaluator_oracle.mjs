// JSON lines in ({policy, service, action, resource, context}), a verdict a line out, by @cloud-copilot/iam-simulate.
// The package is AGPL: a program of the tests, never linked or shipped. The folder with its node_modules is the argument.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import path from 'node:path'

const { runSimulation } = createRequire(path.join(process.argv[2], 'x.js'))('@cloud-copilot/iam-simulate')
const words = { Allowed: 'allowed', ExplicitlyDenied: 'denied', ImplicitlyDenied: 'not allowed' }
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  const simulation = {
    request: {
      action: asked.action,
      principal: asked.service,
      resource: { accountId: '111122223333', resource: asked.resource },
      contextVariables: asked.context,
    },
    identityPolicies: [],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: asked.policy,
  }
  const result = await runSimulation(simulation, {})
  const verdict = result.result?.analysis?.result ?? result.analysis?.result ?? result.overallResult
  console.log(words[verdict] ?? 'error: ' + JSON.stringify(result.errors ?? result).slice(0, 300))
}
